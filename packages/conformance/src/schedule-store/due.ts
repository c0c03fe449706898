import { assert, equal } from "../assert.ts";
import { namesOf, scheduleCase } from "./client.ts";

export const dueCases = [
  scheduleCase(
    "due",
    ["SC-3"],
    "due are those that run and whose time has come, the longest waiting first",
    async (_t, client) => {
      const now = await client.now();
      await client.write("late", { nextAt: now - 10 });
      await client.write("later", { nextAt: now - 20_000 });
      await client.write("latest", { nextAt: -1 });
      await client.write("paused", { state: "paused", nextAt: now - 5 });
      await client.write("stopped", { state: "stopped", nextAt: now - 5 });
      await client.write("never", {});
      await client.write("soon", { nextAt: now + 3_600_000 });
      await client.write("far", { nextAt: 8_640_000_000_000_000 });
      for (const limit of [undefined, 1, 2]) {
        const due = await client.due(limit);
        equal(namesOf(due), ["latest", "later", "late"], `what is due, in pages of ${limit}`);
        equal(due, (await client.port.get(namesOf(due))).schedules, "whole schedules");
      }
      const page = await client.port.due();
      equal(page.nextAt, now + 3_600_000, "when the next one falls due");
      assert(page.now >= now, "the store's time goes on");
    },
  ),

  scheduleCase("due-follows", ["SC-3"], "due follows every write", async (_t, client) => {
    const now = await client.now();
    let schedule = await client.write("a", { nextAt: now - 1 });
    const steps = [
      [{ state: "paused", nextAt: now - 1 }, [], undefined],
      [{ state: "running", nextAt: now - 2 }, ["a"], undefined],
      [{ state: "running", nextAt: now + 3_600_000 }, [], now + 3_600_000],
      [{ state: "running", nextAt: now + 7_200_000 }, [], now + 7_200_000],
      [{ state: "stopped" }, [], undefined],
      [{ state: "running", nextAt: now - 3 }, ["a"], undefined],
      [{ state: "running" }, [], undefined],
    ] as const;
    for (const [of, due, nextAt] of steps) {
      schedule = await client.write("a", of, schedule);
      const page = await client.port.due();
      equal([namesOf(page.items), page.nextAt], [due, nextAt], `after ${JSON.stringify(of)}`);
    }
    await client.write("a", { nextAt: now - 3 }, schedule);
    await client.put("a", "another", { ...schedule, revision: "refused", nextAt: now + 3_600_000 });
    equal(namesOf(await client.due()), ["a"], "after a write that was refused");
  }),

  scheduleCase(
    "due-in-time",
    ["SC-3"],
    "a schedule falls due when its time comes by the store's clock, not before",
    async (t, client) => {
      const nextAt = (await client.now()) + 400;
      await client.write("a", { nextAt });
      let told: number | undefined;
      await t.until("it falls due", async () => {
        const page = await client.port.due();
        told = page.now;
        if (page.items.length > 0) return true;
        assert(page.now < nextAt, `it is due at ${page.now}, its time being ${nextAt}`);
        equal(page.nextAt, nextAt, "when the next one falls due");
        return false;
      });
      assert((told ?? 0) >= nextAt, `it was not due before its time (${told} < ${nextAt})`);
      equal(namesOf(await client.due()), ["a"], "looking takes nothing");
    },
  ),
];
