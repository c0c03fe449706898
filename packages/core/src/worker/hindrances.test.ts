import { describe, expect, test } from "vitest";
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

test("a server that answers some is not away: all go on trying it, without patience", () => {
  const hindered = new Hindrances(new VirtualClock());
  for (let n = 0; n < 100; n++) {
    hindered.add("end-stream");
    hindered.delete("end-stream");
    expect(hindered.mayTry("end-stream")).toBe(true);
    hindered.add("end-stream");
    expect([hindered.mayTry("end-stream"), hindered.has("end-stream")]).toEqual([true, true]);
  }
});

test("a server that has answered is taken to be away once the latest tries all failed", async () => {
  const clock = new VirtualClock();
  const hindered = new Hindrances(clock);
  hindered.delete("end-stream");
  let tries = 0;
  for (; tries < 100 && hindered.mayTry("end-stream"); tries++) hindered.add("end-stream");
  expect(tries).toBe(20);
  await clock.advance(1_000);
  expect(hindered.mayTry("end-stream")).toBe(true);
  hindered.delete("end-stream");
  expect(hindered.mayTry("end-stream")).toBe(true);
});

test("tries that wait for long show sooner that a server is away, unless others were answered meanwhile", async () => {
  const clock = new VirtualClock();
  const hindered = new Hindrances(clock);
  const waitInVain = async (answersOthers: boolean) => {
    const begunAt = clock.now();
    await clock.advance(2_500);
    if (answersOthers) hindered.delete("end-stream");
    await clock.advance(2_500);
    hindered.add("end-stream", begunAt);
    return hindered.mayTry("end-stream");
  };
  for (let n = 0; n < 30; n++) expect(await waitInVain(true)).toBe(true);
  expect(await waitInVain(false)).toBe(false);
});

test("an outage is new when the one before was over: its server has answered, and all did for a while", async () => {
  const clock = new VirtualClock();
  const hindered = new Hindrances(clock);
  expect(hindered.add("end-stream")).toBe(true);
  await clock.advance(60_000);
  expect(hindered.add("end-stream"), "it has not answered since").toBe(false);
  hindered.delete("end-stream");
  expect(hindered.add("end-stream"), "it has answered others").toBe(false);
  await clock.advance(10_000);
  hindered.delete("end-stream");
  expect(hindered.has("end-stream")).toBe(false);
  expect(hindered.add("end-stream")).toBe(true);
});

describe("a clock that is set back", () => {
  test("lets the next try wait no longer than ever", async () => {
    const clock = new VirtualClock();
    const hindered = new Hindrances(clock);
    hindered.add("end-stream");
    clock.setBack(3_600_000);
    expect(hindered.mayTry("end-stream")).toBe(false);
    await clock.advance(1_000);
    expect(hindered.mayTry("end-stream")).toBe(true);
    clock.setBack(3_600_000);
    await clock.advance(60_000);
    expect(hindered.mayTry("end-stream"), "while it is being tried").toBe(false);
  });

  test("makes no secret of a server that is away", async () => {
    const clock = new VirtualClock();
    const hindered = new Hindrances(clock);
    hindered.delete("end-stream");
    clock.setBack(3_600_000);
    let tries = 0;
    for (; tries < 100 && hindered.mayTry("end-stream"); tries++) hindered.add("end-stream");
    expect(tries).toBe(20);
  });

  test("during a try takes nothing off what others have waited", async () => {
    const clock = new VirtualClock();
    const hindered = new Hindrances(clock);
    hindered.delete("end-stream");
    await clock.advance(1);
    const waitInVain = async (setBackMs: number) => {
      const begunAt = clock.now();
      await clock.advance(2_000);
      clock.setBack(setBackMs);
      hindered.add("end-stream", begunAt);
      return hindered.mayTry("end-stream");
    };
    expect(await waitInVain(3_600_000)).toBe(true);
    await waitInVain(0);
    await waitInVain(0);
    expect(await waitInVain(0)).toBe(false);
  });

  test("does not make an outage last", async () => {
    const clock = new VirtualClock();
    const hindered = new Hindrances(clock);
    hindered.add("end-stream");
    clock.setBack(3_600_000);
    hindered.delete("end-stream");
    await clock.advance(10_000);
    hindered.delete("end-stream");
    expect(hindered.has("end-stream")).toBe(false);
  });
});
