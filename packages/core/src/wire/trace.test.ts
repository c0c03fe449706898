import { describe, expect, test } from "vitest";
import { childTraceparent, isTraceparent, newTraceparent } from "./trace.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

test("a new one is valid, sampled and unlike the others", () => {
  const made = Array.from({ length: 1_000 }, newTraceparent);
  for (const text of made) expect(text).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(new Set(made.map((text) => text.slice(3, 35))).size).toBe(made.length);
  expect(made.every(isTraceparent)).toBe(true);
});

test("a child keeps the trace and the flags, with a span of its own", () => {
  const child = childTraceparent(`00-${trace}-${span}-00`);
  expect(child).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
  expect(child).not.toContain(span);
  expect(childTraceparent(`01-${trace}-${span}-01-more`)).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
});

describe("what is not valid starts a new trace", () => {
  test.each([
    "",
    "nonsense",
    `ff-${trace}-${span}-01`,
    `00-${"0".repeat(32)}-${span}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}-${span}-0`,
    `01-${trace}-${span}-01more`,
    `00-${trace}-${span}-01\n`,
  ])("%j", (text) => {
    expect(isTraceparent(text)).toBe(false);
    const child = childTraceparent(text);
    expect(isTraceparent(child)).toBe(true);
    expect(child).not.toContain(trace);
  });
});
