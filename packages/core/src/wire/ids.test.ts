import { expect, test } from "vitest";
import { newId } from "./ids.ts";

const far = 4_000_000_000_000;

test("ids are 26 safe characters, unique and in the order they were made", () => {
  const ids = Array.from({ length: 100_000 }, () => newId());
  for (const id of ids) if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) expect.fail(id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

test("they begin with their time", () => {
  const first = newId(far);
  expect(newId(far).slice(0, 10)).toBe(first.slice(0, 10));
  expect(newId(far + 1).slice(0, 10) > first.slice(0, 10)).toBe(true);
});

test("they go on in order when the clock goes back, and when there are more than a millisecond holds", () => {
  const ids = [newId(far + 10), newId(far + 5), newId(0)];
  for (let count = 0; count < 70_000; count++) ids.push(newId(far + 10));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test("the end of one says nothing of the next", () => {
  const ends = Array.from({ length: 1_000 }, () => newId().slice(13));
  expect(new Set(ends).size).toBe(ends.length);
});
