import { type App, defineTask } from "@intermodal/core";
import type { ScheduleRecord } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { any, PATIENT } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { type FullAdapter, lifecycleCase, type ProcessOptions, RECOVERY_MS, type World } from "./world.ts";

const chime = defineTask("chime", { input: any<{ n: number }>(), retry: PATIENT });
/** Longer than a due time may be late, so that none is overtaken by the next. */
const EVERY_MS = 2_000;
const every = (name: string) => ({ name, everyMs: EVERY_MS, input: { n: 1 } });
const OPTIONS: ProcessOptions = { fires: true, schedules: { pollMs: 250 } };

/** A delay is late by at most 20 % and a second. */
const LATEST_MS = 1_000 + EVERY_MS * 0.2;

/** Another client of the server, where it keeps schedules. */
async function openWithSchedules(world: World): Promise<FullAdapter> {
  const adapter = await world.open();
  if (adapter.scheduleStore === undefined) world.t.skip(`${adapter.name} has no schedule store`);
  return adapter;
}

/** The due times of a schedule that tasks were made of, in order: ids end with them. */
async function dueTimes(observer: Observer, name: string): Promise<readonly number[]> {
  const ids = (await observer.records()).map(({ id }) => id).filter((id) => id.includes(`:${name}:`));
  return ids.map((id) => Date.parse(id.slice(-"2026-01-01T00:00:00.000Z".length))).sort((a, b) => a - b);
}

/** Checks that no due time was left out from the first to the last: each is one interval after the one before. */
function assertRegular(times: readonly number[]): void {
  equal(
    times.map((time) => time - (times[0] ?? 0)),
    times.map((_, at) => at * EVERY_MS),
    "due times that made a task, from the first one on",
  );
}

async function scheduleOf({ scheduleStore }: FullAdapter, name: string): Promise<ScheduleRecord | undefined> {
  return (await scheduleStore?.get([name]))?.schedules[0];
}

/** Waits until so many due times were fired, and holds the schedule up. */
async function pauseAfter(t: CaseContext, adapter: FullAdapter, app: App, name: string, count: number) {
  const fired = async () => ((await scheduleOf(adapter, name))?.fires ?? 0) >= count;
  await t.until(`${count} due times were fired`, fired, { withinMs: RECOVERY_MS + count * EVERY_MS });
  await app.schedules.pause(name);
}

export const scheduleCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "schedule-fires-once",
    guarantees: ["LC-21"],
    title: "each due time makes one task, with three processes of which one is killed in the middle of firing",
    needs: ["kill"],
    async run(world, t) {
      const adapter = await openWithSchedules(world);
      const observer = new Observer(t, adapter);
      for (const moment of ["taskStateStore.create", "commandBus.send", "scheduleStore.put"]) {
        const runs: string[] = [];
        const serve = (app: App) => app.handle(chime, (_, ctx) => void runs.push(ctx.id));
        // Alone at first, so that it is the one that fires.
        const dying = await world.worker(serve, OPTIONS);
        await dying.app.schedules.register(chime, every(moment));
        const first = (await scheduleOf(adapter, moment))?.nextAt ?? 0;
        dying.switched.around = async (call, run) => {
          const answer = await run();
          if (call.name === moment) await dying.kill();
          return answer;
        };
        await t.until("it dies in the middle of firing", () => dying.isDead, { withinMs: RECOVERY_MS });
        const others = [await world.worker(serve, OPTIONS), await world.worker(serve, OPTIONS)];
        const { app } = others[0] as (typeof others)[number];
        await pauseAfter(t, adapter, app, moment, 3);
        await observer.untilAtRest();
        const times = await dueTimes(observer, moment);
        equal(new Set(times).size, times.length, "no due time made two tasks");
        equal(
          times.filter((time) => (time - first) % EVERY_MS !== 0),
          [],
          "times that made a task and were no due times",
        );
        equal(new Set(runs).size, times.length, `each task ran, after a death at ${moment}`);
        await Promise.all(others.map((other) => other.app.stop({ timeoutMs: 0 })));
      }
    },
  }),

  lifecycleCase({
    name: "schedule-regular",
    guarantees: ["LC-21"],
    title: "while workers are there no due time is left out, early, or late by more than a delay may be",
    async run(world, t) {
      const adapter = await openWithSchedules(world);
      const observer = new Observer(t, adapter);
      const begun: number[] = [];
      const workers = await Promise.all(
        [1, 2, 3].map(() => world.worker((app) => app.handle(chime, () => void begun.push(t.clock.now())), OPTIONS)),
      );
      const { app } = workers[0] as (typeof workers)[number];
      await app.schedules.register(chime, every("chimes"));
      await pauseAfter(t, adapter, app, "chimes", t.size(20, 4));
      await observer.untilAtRest();
      const times = await dueTimes(observer, "chimes");
      assertRegular(times);
      equal(begun.length, times.length, "how often it ran");
      for (const [at, due] of times.entries()) {
        const late = (begun[at] ?? 0) - due;
        // Servers' clocks differ a little.
        assert(late > -50, `due time ${at + 1} was not early (${late} ms)`);
        assert(late <= LATEST_MS, `due time ${at + 1} was not late (${late} ms)`);
      }
    },
  }),

  lifecycleCase({
    name: "schedule-missed",
    guarantees: ["LC-22"],
    title: "due times that nobody was there for are made up for once, for the latest",
    async run(world, t) {
      const adapter = await openWithSchedules(world);
      const observer = new Observer(t, adapter);
      const client = await world.process(OPTIONS);
      await client.app.schedules.register(chime, every("chimes"));
      const first = (await scheduleOf(adapter, "chimes"))?.nextAt ?? 0;
      await t.sleep(4.5 * EVERY_MS);
      const runs: string[] = [];
      const { app } = await world.worker((each) => each.handle(chime, (_, ctx) => void runs.push(ctx.id)), OPTIONS);
      await pauseAfter(t, adapter, app, "chimes", 1);
      await observer.untilAtRest();
      const [made, ...further] = await dueTimes(observer, "chimes");
      // Until it was paused, the next due time may have come.
      assert(further.length <= 1, "one task makes up for what was missed");
      assert(((made ?? 0) - first) % EVERY_MS === 0, "for one of the due times");
      assert((made ?? 0) >= first + 2 * EVERY_MS, "for the latest of them");
      equal((await scheduleOf(adapter, "chimes"))?.lastDueAt, further[0] ?? made, "what the schedule says of it");
      equal(runs.length, 1 + further.length, "how often it ran");
    },
  }),
];
