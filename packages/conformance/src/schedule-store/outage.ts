import type { ScheduleStore } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { Client, draft, persist, scheduleCase } from "./client.ts";

/** Longer than any store may let a caller wait. */
const BOUND_MS = 60_000;

/** One call of each method. */
function everyMethod(port: ScheduleStore): readonly (readonly [string, () => Promise<unknown>])[] {
  return [
    ["get", () => port.get(["none"])],
    ["put", () => port.put([{ name: "none", expected: undefined, schedule: draft() }])],
    ["remove", () => port.remove(["none"])],
    ["list", () => port.list()],
    ["due", () => port.due()],
  ];
}

export const outageCases = [
  scheduleCase(
    "closed",
    ["SC-9"],
    "after close every method rejects with CLOSED, and other clients go on",
    async (t, client) => {
      for (const used of [true, false]) {
        const adapter = await t.open();
        assert(adapter.scheduleStore !== undefined, "the adapter has a schedule store");
        const closing = new Client(adapter.scheduleStore);
        if (used) await closing.write("a");
        await adapter.close();
        for (const [what, call] of everyMethod(closing.port)) await rejects(`${what} after close`, "CLOSED", call);
      }
      equal((await client.schedule("a")).state, "running", "another client's view");
      equal(await client.get("none"), undefined, "nothing was done");
    },
  ),

  scheduleCase(
    "unreachable",
    ["SC-9"],
    "while the store is away every method rejects in a bounded time, and works again afterwards",
    async (t) => {
      const adapter = await t.open();
      assert(adapter.scheduleStore !== undefined, "the adapter has a schedule store");
      const client = new Client(adapter.scheduleStore);
      await client.write("a");
      await t.faults.cut(adapter);
      const started = t.clock.now();
      await Promise.all(
        everyMethod(client.port).map(([what, call]) => rejects(`${what} while the store is away`, "UNAVAILABLE", call)),
      );
      const took = t.clock.now() - started;
      assert(took <= BOUND_MS, `they reject within ${BOUND_MS} ms (${took} ms)`);
      await t.faults.mend(adapter);
      await persist(t, "the client works again", () => client.get("a"));
      equal((await client.write("a", { fires: 1 }, await client.schedule("a"))).fires, 1, "a write");
    },
    ["cut", "mend"],
  ),

  scheduleCase(
    "restart",
    ["SC-9"],
    "what a store has acknowledged is there after it was stopped and started",
    async (t, client) => {
      const nextAt = (await client.now()) - 1;
      const before = [await client.write("a", { nextAt }), await client.write("b", { state: "paused", fires: 3 })];
      await client.write("gone");
      await client.port.remove(["gone"]);
      await t.faults.stop();
      await rejects("get while the store is stopped", "UNAVAILABLE", () => client.get("a"));
      await t.faults.start();
      await persist(t, "the client works again", () => client.get("a"));
      equal((await client.port.get(["a", "b", "gone"])).schedules, [...before, undefined], "the schedules");
      equal(await client.due(), before.slice(0, 1), "what is due");
    },
    ["stop", "start"],
  ),
];
