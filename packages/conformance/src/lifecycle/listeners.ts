import { type App, defineEvent, fixed, type SkippedEvent, silentLogger } from "@intermodal/core";
import { equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { any, happened } from "./contracts.ts";
import { lifecycleCase, type ProcessOptions, RECOVERY_MS, type World } from "./world.ts";

const GUARANTEES = ["LC-19"];

const LISTENER = { listener: "numbers" } as const;

/** The same event in other versions of its publishers. */
const versioned = (version: string) => defineEvent("happened", { version, data: any<{ n: number }>() });

/** Takes positive numbers only. */
const strict = defineEvent("happened", {
  data: any<{ n: number }>(({ n }) => (n > 0 ? undefined : `${n} is not positive`)),
});

/** What a listener's app says about what it skips. */
class Skips {
  readonly told: SkippedEvent[] = [];
  warnings = 0;
  readonly options: ProcessOptions = {
    onSkippedEvent: (event) => this.told.push(event),
    logger: {
      ...silentLogger,
      warn: (_, fields) => {
        if (fields?.reason !== undefined) this.warnings++;
      },
    },
  };
}

const heardBy = (t: CaseContext, heard: readonly number[], count: number) =>
  t.until(`${count} events are handled`, () => heard.length >= count, { withinMs: RECOVERY_MS });

/** Checks that nothing of a listener's is under way or comes again. */
async function assertQuiet(world: World, app: App, listener: string, dead = 0): Promise<void> {
  const quiet = async () => {
    const inspection = await app.inspectListener(listener);
    // A broker that cannot tell what is in flight shows neither a message that is about to be dead nor its dead letter.
    return inspection.pending + (inspection.inFlight ?? 0) + (inspection.delayed ?? 0) === 0 && inspection.dead >= dead;
  };
  await world.t.until(`listener ${listener} has nothing left but ${dead} dead`, quiet, { withinMs: RECOVERY_MS });
  equal((await app.inspectListener(listener)).dead, dead, `dead letters of ${listener}`);
}

export const listenerCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "listener-versions",
    guarantees: GUARANTEES,
    title: "versions a listener does not understand are warned about, counted, told to the hook and acknowledged",
    async run(world, t) {
      const skips = new Skips();
      const narrow: number[] = [];
      const wide: number[] = [];
      const serve = (app: App) => {
        app.on(happened, LISTENER, ({ data }) => narrow.push(data.n));
        app.on(happened, { listener: "wide", versions: { min: "1.2", max: "2" } }, ({ data }) => wide.push(data.n));
      };
      const { app } = await world.worker(serve, skips.options);
      const publisher = await world.process();
      for (const [n, version] of ["1.0", "1.7", "2.3", "3.0", "1.2"].entries())
        await publisher.app.publish(versioned(version), { n }, { id: `event-${n}` });
      await heardBy(t, narrow, 3);
      await heardBy(t, wide, 3);
      await t.until("all skips are told", () => skips.told.length >= 4, { withinMs: RECOVERY_MS });
      for (const name of ["numbers", "wide"]) await assertQuiet(world, app, name);
      await t.sleep(1_500);
      equal(
        [narrow.toSorted(), wide.toSorted()],
        [
          [0, 1, 4],
          [1, 2, 4],
        ],
        "what was handled",
      );
      const told = skips.told.map(({ listener, reason, id, version }) => [listener, reason, id, version].join(" "));
      const expected = ["numbers version event-2 2.3", "numbers version event-3 3.0"];
      equal(
        told.sort(),
        [...expected, "wide version event-0 1.0", "wide version event-3 3.0"],
        "what the hook was told",
      );
      equal(skips.warnings, 4, "warnings");
      const counts = { handled: 3, skipped: 2, missed: 0 };
      equal((await app.health()).listeners, { numbers: counts, wide: counts }, "what health() counts");
    },
  }),

  lifecycleCase({
    name: "listener-invalid",
    guarantees: GUARANTEES,
    title: "an event whose data fails the listener's schema is dead-lettered, or skipped where it says so",
    async run(world, t) {
      const skips = new Skips();
      const heard: number[] = [];
      const lenient: number[] = [];
      const serve = (app: App) => {
        app.on(strict, LISTENER, ({ data }) => heard.push(data.n));
        app.on(strict, { listener: "lenient", invalid: "skip" }, ({ data }) => lenient.push(data.n));
      };
      const { app } = await world.worker(serve, skips.options);
      const publisher = await world.process();
      for (const n of [1, -2, 3]) await publisher.app.publish(happened, { n }, { id: `event-${n}` });
      await heardBy(t, heard, 2);
      await heardBy(t, lenient, 2);
      await assertQuiet(world, app, "numbers", 1);
      await assertQuiet(world, app, "lenient");
      equal(
        [heard.toSorted(), lenient.toSorted()],
        [
          [1, 3],
          [1, 3],
        ],
        "what was handled",
      );
      const [dead] = (await app.listenerDeadLetters.list("numbers")).items;
      equal(dead?.reason.includes("-2 is not positive"), true, "whether the reason is told");
      equal(
        skips.told.map(({ listener, reason, id }) => [listener, reason, id]),
        [["lenient", "invalid", "event--2"]],
        "what the hook was told",
      );
    },
  }),

  lifecycleCase({
    name: "listener-own-retries",
    guarantees: GUARANTEES,
    title: "a failing listener is tried again and dead-letters alone; another of the same event is not touched",
    async run(world, t) {
      const tried: number[] = [];
      const heard: number[] = [];
      const serve = (app: App) => {
        const retry = { maxAttempts: 3, backoff: fixed(100) };
        app.on(happened, { listener: "failing", retry }, (_, ctx) => {
          tried.push(ctx.attempt);
          throw new Error("on purpose");
        });
        app.on(happened, LISTENER, ({ data }) => heard.push(data.n));
      };
      const { app } = await world.worker(serve);
      const publisher = await world.process();
      await publisher.app.publish(happened, { n: 1 });
      await t.until("it is dead", async () => (await app.inspectListener("failing")).dead === 1, {
        withinMs: RECOVERY_MS,
      });
      await assertQuiet(world, app, "failing", 1);
      await assertQuiet(world, app, "numbers");
      equal(tried, [1, 2, 3], "the attempts of the one that fails");
      equal(heard, [1], "what the other handled");
      const ids = (await app.listenerDeadLetters.list("failing")).items.map(({ deadLetterId }) => deadLetterId);
      equal(await app.listenerDeadLetters.replay("failing", ids), 1, "how many are replayed");
      await t.until("it is dead again", () => tried.length === 6, { withinMs: RECOVERY_MS });
      await t.sleep(1_500);
      equal(tried, [1, 2, 3, 1, 2, 3], "the attempts of the one that fails, after its replay");
      equal(heard, [1], "what the other handled, after the replay");
    },
  }),

  lifecycleCase({
    name: "listener-apart",
    guarantees: GUARANTEES,
    title: "equal listener names of two apps are apart; replicas of one app share its events",
    async run(world, t) {
      const heard: Record<"search" | "billing", number[]> = { search: [], billing: [] };
      for (const name of ["search", "search", "billing"] as const)
        await world.worker((app) => app.on(happened, LISTENER, ({ data }) => heard[name].push(data.n)), {
          name,
          // An inbox would hide that replicas do not share.
          omit: ["inbox"],
        });
      const publisher = await world.process();
      const numbers = Array.from({ length: 20 }, (_, n) => n);
      for (const n of numbers) await publisher.app.publish(happened, { n });
      await heardBy(t, heard.search, numbers.length);
      await heardBy(t, heard.billing, numbers.length);
      await t.sleep(1_500);
      const ascending = (a: number, b: number) => a - b;
      equal(heard.search.toSorted(ascending), numbers, "what the replicas handled together");
      equal(heard.billing.toSorted(ascending), numbers, "what the other app handled");
    },
  }),

  lifecycleCase({
    name: "listener-plain-dictionary",
    guarantees: GUARANTEES,
    title: "a plain dictionary, as publishers from before send it, is understood",
    async run(world, t) {
      const heard: unknown[] = [];
      const serve = (app: App) =>
        app.on(happened, LISTENER, ({ id, type, version, time, data }) =>
          heard.push({ id, type, version, time, data }),
        );
      const { app } = await world.worker(serve);
      const { eventBus } = await world.open();
      const timestamp = "2026-01-02T03:04:05.000Z";
      const dictionary = { event_type: "happened", event_version: "1.1", event_id: "old-1", timestamp, n: 5 };
      const body = new TextEncoder().encode(JSON.stringify(dictionary));
      await eventBus.publish([{ id: "old-1", type: "happened", body }]);
      await t.until("it is handled", () => heard.length === 1, { withinMs: RECOVERY_MS });
      const time = Date.parse(timestamp);
      equal(heard, [{ id: "old-1", type: "happened", version: "1.1", time, data: { n: 5 } }], "what was handled");
      await assertQuiet(world, app, "numbers");
    },
  }),
];
