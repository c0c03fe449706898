import { expect, test } from "vitest";
import { Shared } from "./shared.ts";

test("equal keys share what the first made, and only the last to let go closes it", () => {
  const shared = new Shared<object>();
  const [first, second] = [shared.acquire("a", () => ({})), shared.acquire("a", () => ({}))];
  expect(second.thing).toBe(first.thing);
  expect(shared.acquire("b", () => ({})).thing).not.toBe(first.thing);
  expect([first.release(), first.release(), second.release()]).toEqual([false, false, true]);
  expect(shared.acquire("a", () => ({})).thing).not.toBe(first.thing);
});
