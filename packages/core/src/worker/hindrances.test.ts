import { expect, test } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Hindrances } from "./hindrances.ts";

test("while a server is away one try is made at a time, and none for a moment after it", async () => {
  const clock = new VirtualClock();
  const hindered = new Hindrances(clock);
  const tries = () => ["a", "b", "c"].filter(() => hindered.mayTry("end-stream")).length;
  expect(tries(), "before").toBe(3);
  expect([hindered.add("end-stream"), hindered.add("end-stream")], "which is new").toEqual([true, false]);
  expect(tries(), "just after").toBe(0);
  await clock.advance(999);
  expect(tries()).toBe(0);
  await clock.advance(1);
  expect(tries(), "a moment later").toBe(1);
  await clock.advance(60_000);
  expect(tries(), "while it is being tried").toBe(0);
  hindered.add("end-stream");
  await clock.advance(1_000);
  expect(tries()).toBe(1);
  hindered.delete("end-stream");
  expect(tries(), "once it has answered").toBe(3);
});

test("what is owed to the server that has just answered is tried each time", () => {
  const hindered = new Hindrances(new VirtualClock());
  hindered.add("tell-parent");
  expect([hindered.has("tell-parent"), hindered.mayTry("tell-parent")]).toEqual([true, true]);
  expect([hindered.has("end-stream"), hindered.mayTry("end-stream")]).toEqual([false, true]);
});
