import { expect, test } from "vitest";
import { Shared } from "./shared.ts";

test("equal names share what the first made, and only the last to let go closes it", () => {
  const shared = new Shared<object>();
  const options = { a: 1 };
  const acquire = (...names: readonly (string | object)[]) => shared.acquire(names, () => ({}));
  const [first, second] = [acquire("a", options), acquire("a", options)];
  expect(second.thing).toBe(first.thing);
  expect(acquire("b", options).thing).not.toBe(first.thing);
  expect(acquire("a", { ...options }).thing).not.toBe(first.thing);
  expect([first.release(), first.release(), second.release()]).toEqual([false, false, true]);
  expect(acquire("a", options).thing).not.toBe(first.thing);
});
