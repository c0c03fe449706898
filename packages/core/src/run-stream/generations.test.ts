import { expect, it } from "vitest";
import { Generations } from "./generations.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, at) => String(at));

it("forgets what nobody has asked for, not before a generation of others has come", () => {
  const map = new Generations<string>(10, () => false);
  for (const key of upTo(19)) map.set(key, key);
  expect(map.get("9")).toBe("9");
  map.set("asked for", "x");
  for (const key of upTo(100)) {
    map.set(`new ${key}`, key);
    expect(map.get("asked for")).toBe("x");
  }
  expect(map.get("5")).toBe(undefined);
});

it("looks at what it must keep once a generation, however much that is", () => {
  let looked = 0;
  const map = new Generations<string>(100, () => {
    looked++;
    return true;
  });
  for (const key of upTo(10_000)) {
    map.set(key, key);
    expect(map.get("0")).toBe("0");
  }
  for (const key of upTo(10_000)) expect(map.get(key)).toBe(key);
  expect(looked).toBeLessThan(10_000 * 3);
});
