import { describe, expect, it } from "vitest";
import { openStore } from "./store-fixture.ts";

describe("tryAcquire", () => {
  it("never gives more than its permits in any window, and all of them in time", async () => {
    const { rates, clock } = openStore();
    const limit = { permits: 5, perMs: 100 };
    const given: number[] = [];
    for (let step = 0; step < 400; step++) {
      // Bursts and pauses that fall across every boundary.
      if (step % 7 < 5 && (await rates.tryAcquire("k", limit)) === 0) given.push(clock.now());
      await clock.advance(step % 11);
    }
    for (const start of given) {
      expect(given.filter((at) => at >= start && at < start + limit.perMs).length).toBeLessThanOrEqual(limit.permits);
    }
    const elapsed = (given.at(-1) as number) - (given[0] as number);
    expect(given.length).toBeGreaterThanOrEqual(Math.floor(elapsed / limit.perMs) * limit.permits * 0.9);
  });

  it("says exactly when to ask again", async () => {
    const { rates, clock } = openStore();
    const limit = { permits: 2, perMs: 100 };
    expect(await rates.tryAcquire("k", limit)).toBe(0);
    await clock.advance(30);
    expect(await rates.tryAcquire("k", limit)).toBe(0);
    await clock.advance(10);
    expect(await rates.tryAcquire("k", limit)).toBe(60);
    await clock.advance(59);
    expect(await rates.tryAcquire("k", limit)).toBe(1);
    await clock.advance(1);
    expect(await rates.tryAcquire("k", limit)).toBe(0);
    expect(await rates.tryAcquire("k", limit)).toBe(30);
  });

  it("counts by key, over all clients, for the limit at hand", async () => {
    const { rates, connect } = openStore();
    const one = { permits: 1, perMs: 100 };
    expect(await rates.tryAcquire("k", one)).toBe(0);
    expect(await connect().rates.tryAcquire("k", one)).toBe(100);
    expect(await rates.tryAcquire("other", one)).toBe(0);
    expect(await connect("elsewhere").rates.tryAcquire("k", one)).toBe(0);
    expect(await rates.tryAcquire("k", { permits: 2, perMs: 1_000 })).toBe(0);
    expect(await rates.tryAcquire("k", { permits: 2, perMs: 1_000 })).toBe(1_000);
    expect(await rates.tryAcquire("k", { permits: 0, perMs: 50 })).toBe(50);
  });

  it("forgets keys that are past their window", async () => {
    const { rates, clock, store } = openStore();
    for (let index = 0; index < 50; index++) await rates.tryAcquire(`old${index}`, { permits: 9, perMs: 10 });
    await clock.advance(10);
    for (let index = 0; index < 60; index++) await rates.tryAcquire("new", { permits: 99, perMs: 10 });
    expect(store.namespace("test").rates.size).toBe(1);
  });

  it("rejects with CLOSED once closed", async () => {
    const { rates, connection } = openStore();
    connection.close();
    await expect(rates.tryAcquire("k", { permits: 1, perMs: 1 })).rejects.toMatchObject({ code: "CLOSED" });
  });
});
