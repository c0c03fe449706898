import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ProcessClock, VirtualClock } from "./virtual-clock.ts";

describe("VirtualClock", () => {
  it("runs timers in the order of time, equal times in the order they were made", async () => {
    const clock = new VirtualClock();
    const start = clock.now();
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.now() - start]);
    clock.schedule(20, note("c"));
    clock.schedule(10, note("a"));
    clock.schedule(10, note("b"));
    clock.schedule(31, note("later"));
    await clock.advance(30);
    expect(ran).toEqual([
      ["a", 10],
      ["b", 10],
      ["c", 20],
    ]);
    expect(clock.now() - start).toBe(30);
    expect(clock.nextTimerAt()).toBe(start + 31);
  });

  it("runs what a timer starts before the next timer, through promises, immediates and message ports", async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const work = async () => {
      for (let i = 0; i < 50; i++) await undefined;
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      const { port1, port2 } = new MessageChannel();
      await new Promise((resolve) => {
        port1.once("message", resolve);
        port2.postMessage("x");
      });
      port1.close();
      ran.push("first");
      clock.schedule(0, () => ran.push("second"));
    };
    clock.schedule(10, () => void work());
    clock.schedule(11, () => ran.push("third"));
    await clock.advance(20);
    expect(ran).toEqual(["first", "second", "third"]);
  });

  it("sees timers that a running one makes within the time that passes", async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = () => {
      ticks++;
      clock.schedule(100, tick);
    };
    clock.schedule(100, tick);
    await clock.advance(1_000);
    expect(ticks).toBe(10);
  });

  it("never runs a cancelled timer, and cancelling late is harmless", async () => {
    const clock = new VirtualClock();
    const ran: number[] = [];
    const cancels = Array.from({ length: 100 }, (_, i) =>
      clock.schedule((i * 37) % 100, () => ran.push((i * 37) % 100)),
    );
    for (let i = 0; i < 100; i += 2) cancels[i]?.();
    await clock.advance(100);
    for (const cancel of cancels) cancel();
    expect(ran).toHaveLength(50);
    expect(ran).toEqual(ran.toSorted((a, b) => a - b));
    expect(clock.nextTimerAt()).toBeUndefined();
  });

  it("settle runs what needs no time and lets none pass", async () => {
    const clock = new VirtualClock();
    const start = clock.now();
    const ran: string[] = [];
    clock.schedule(0, () => clock.schedule(0, () => ran.push("due")));
    clock.schedule(1, () => ran.push("later"));
    await clock.settle();
    expect(ran).toEqual(["due"]);
    expect(clock.now()).toBe(start);
  });

  it("passes overlapping advances one after the other", async () => {
    const clock = new VirtualClock();
    const start = clock.now();
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect(clock.now() - start).toBe(20);
  });

  it("settles for several at once", async () => {
    const clock = new VirtualClock();
    const other = new VirtualClock();
    await Promise.all([clock.settle(), clock.settle(), clock.advance(5), other.settle()]);
  });

  it("tells of a timer that throws, and goes on afterwards", async () => {
    const clock = new VirtualClock();
    let ran = false;
    clock.schedule(5, () => {
      throw new Error("broken");
    });
    clock.schedule(6, () => {
      ran = true;
    });
    await expect(clock.advance(10)).rejects.toThrow("broken");
    await clock.advance(10);
    expect(ran).toBe(true);
  });

  it("holds tens of thousands of timers", async () => {
    const clock = new VirtualClock();
    let last = 0;
    let ran = 0;
    for (let i = 0; i < 20_000; i++) {
      const dueIn = (i * 7_919) % 20_011;
      clock.schedule(dueIn, () => {
        expect(dueIn).toBeGreaterThanOrEqual(last);
        last = dueIn;
        ran++;
      });
    }
    await clock.advance(20_011);
    expect(ran).toBe(20_000);
  });
});

describe("ProcessClock", () => {
  it("holds timers while frozen and fires them after the thaw", async () => {
    const clock = new VirtualClock();
    const process = new ProcessClock(clock);
    const ran: string[] = [];
    process.schedule(10, () => ran.push("a"));
    const cancelLate = process.schedule(20, () => ran.push("cancelled"));
    process.schedule(100, () => ran.push("b"));
    process.freeze();
    await clock.advance(50);
    expect(ran).toEqual([]);
    expect(process.now()).toBe(clock.now());
    cancelLate();
    process.thaw();
    expect(ran).toEqual([]);
    await clock.settle();
    expect(ran).toEqual(["a"]);
    await clock.advance(50);
    expect(ran).toEqual(["a", "b"]);
  });

  it("goes on holding when it freezes again at once", async () => {
    const clock = new VirtualClock();
    const process = new ProcessClock(clock);
    const ran: string[] = [];
    process.schedule(10, () => {
      ran.push("a");
      process.freeze();
    });
    process.schedule(10, () => ran.push("b"));
    process.freeze();
    await clock.advance(20);
    process.thaw();
    await clock.settle();
    expect(ran).toEqual(["a"]);
    process.thaw();
    await clock.settle();
    expect(ran).toEqual(["a", "b"]);
  });

  it("fires nothing once stopped", async () => {
    const clock = new VirtualClock();
    const process = new ProcessClock(clock);
    let ran = false;
    process.schedule(10, () => {
      ran = true;
    });
    process.freeze();
    await clock.advance(10);
    process.stop();
    process.thaw();
    process.schedule(0, () => {
      ran = true;
    });
    await clock.advance(1_000);
    expect(ran).toBe(false);
  });
});
