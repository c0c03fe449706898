import { describe, expect, it } from "vitest";
import { RateTable } from "./rate-table.ts";
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

describe("a clock that is set back", () => {
  it("starves no key: what was given out later counts as given out now", () => {
    const table = new RateTable();
    const limit = { permits: 3, perMs: 1_000 };
    const begin = 1_700_000_000_000;
    const setBack = begin - 3_600_000;
    const take = (now: number) => table.tryAcquire("k", limit, now);
    expect([take(begin), take(begin + 1), take(begin + 1)]).toEqual([0, 0, 0]);
    expect(take(setBack)).toBe(1_000);
    expect(take(setBack + 400)).toBe(600);
    expect(take(setBack + 999)).toBe(1);
    expect([1, 2, 3, 4].map(() => take(setBack + 1_000))).toEqual([0, 0, 0, 1_000]);
  });

  it("never gives more than its permits in any window, and never puts anybody off for longer than one", () => {
    const table = new RateTable();
    const limit = { permits: 5, perMs: 300 };
    const given: number[] = [];
    const waits: number[] = [];
    let elapsed = 0;
    let ahead = 1_700_000_000_000;
    for (let step = 0; step < 2_000; step++) {
      if (step % 97 === 0) ahead -= (step * 31) % 5_000;
      const wait = table.tryAcquire("k", limit, ahead + elapsed);
      if (wait === 0) given.push(elapsed);
      else waits.push(wait);
      elapsed += (step * 7) % 43;
    }
    for (const start of given) {
      expect(given.filter((at) => at >= start && at < start + limit.perMs).length).toBeLessThanOrEqual(limit.permits);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(limit.perMs);
    expect(given.length).toBeGreaterThanOrEqual((elapsed / limit.perMs) * limit.permits * 0.8);
  });

  it("does not keep keys from being forgotten", () => {
    const table = new RateTable();
    const limit = { permits: 99, perMs: 10 };
    for (let index = 0; index < 50; index++) table.tryAcquire(`old${index}`, limit, 1_000_000);
    for (let index = 0; index < 120; index++) table.tryAcquire("new", limit, 1_000 + index);
    expect(table.size).toBe(1);
  });
});

describe("a window that is asked for no more", () => {
  const long = { permits: 1_000, perMs: 10_000 };
  const short = { permits: 5, perMs: 100 };

  it("is let go: the key then keeps what others can see", () => {
    const table = new RateTable();
    expect(table.tryAcquire("k", long, 0)).toBe(0);
    for (let now = 0; now <= 20_000; now += 20) table.tryAcquire("k", short, now);
    expect(table.tryAcquire("k", { ...long, permits: 6 }, 20_000)).toBe(0);
  });

  it("is not forgotten before it has passed, whoever asks for shorter ones meanwhile", () => {
    const table = new RateTable();
    const given: number[] = [];
    const take = (perMs: number, permits: number, now: number) => {
      const wait = table.tryAcquire("k", { permits, perMs }, now);
      if (wait === 0) given.push(now);
      return wait;
    };
    for (const perMs of [long.perMs, 3_000]) take(perMs, 1, 0);
    for (let now = 0; now < 50_000; now += 20) {
      take(short.perMs, short.permits, now);
      if (now % 2_960 > 0) continue;
      const inSight = given.filter((at) => at > now - 3_000).length;
      expect(take(3_000, inSight, now), `at ${now}`).toBeGreaterThan(0);
      expect(take(3_000, inSight + 1, now), `at ${now}`).toBe(0);
    }
  });
});
