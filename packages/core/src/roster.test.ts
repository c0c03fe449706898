import { expect, test } from "vitest";
import { Roster } from "./roster.ts";

test("holds what was added and not deleted, whatever the order", () => {
  const roster = new Roster<{ readonly name: string; place: number }>();
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ name, place: -1 })) as [never, never, never];
  const names = () => [...roster].map(({ name }) => name).sort();
  for (const member of [a, b, c]) roster.add(member);
  roster.delete(a);
  expect(names()).toEqual(["b", "c"]);
  roster.delete(a);
  roster.delete(c);
  expect(names()).toEqual(["b"]);
  roster.add(a);
  roster.delete(b);
  expect(names()).toEqual(["a"]);
  expect(roster.size).toBe(1);
});

test("may change while it is gone through", () => {
  const roster = new Roster<{ place: number }>();
  const members = Array.from({ length: 5 }, () => ({ place: -1 }));
  for (const member of members) roster.add(member);
  let seen = 0;
  for (const member of roster) {
    seen++;
    roster.delete(member);
  }
  expect([seen, roster.size]).toEqual([5, 0]);
});
