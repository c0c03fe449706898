import { type AnyTaskContract, type App, defineCommand, defineTask } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { any, PATIENT, probe, step } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { lifecycleCase, RECOVERY_MS, type World } from "./world.ts";

const DELAY_MS = 400;
const MAX_AGE_MS = 2_500;

const newer = defineTask("probe", {
  version: "2.0",
  input: any<{ n: number }>(),
  output: any<number>(),
  retry: PATIENT,
});

/** Nobody knows the task at first; others go by; then a worker comes that knows it. */
async function comesLater(world: World, t: CaseContext, contract: typeof newer, old: readonly AnyTaskContract[]) {
  const observer = new Observer(t, await world.open());
  const runs: string[] = [];
  const serve = (served: readonly AnyTaskContract[]) => (app: App) => {
    for (const one of served) {
      app.handle(one as typeof newer, ({ n }, ctx) => {
        runs.push(`${one.version} ${ctx.id}`);
        return 2 * n;
      });
    }
  };
  const options = { concurrency: 1, unknownType: { delayMs: DELAY_MS, maxAgeMs: RECOVERY_MS } };
  await world.worker(serve([step, ...old]), options);
  const { app } = await world.process();
  const unknown = await app.submit(contract, { n: 1 }, { id: "unknown" });
  for (let n = 1; n <= 5; n++) {
    const other = await app.submit(step, { n }, { id: `other-${n}` });
    equal(await other.result({ timeoutMs: RECOVERY_MS }), 2 * n, "the result of another task");
  }
  await t.never("the unknown one runs", () => runs.some((run) => run.endsWith("unknown")), { forMs: 4 * DELAY_MS });
  equal((await unknown.status()).status, "QUEUED", "how the unknown one stands");
  await world.worker(serve([contract]), options);
  equal(await unknown.result({ timeoutMs: RECOVERY_MS }), 2, "its result");
  await observer.untilAtRest();
  equal((await unknown.status()).attempts, 1, "its attempts");
  const expected = [...[1, 2, 3, 4, 5].map((n) => `1.0 other-${n}`), `${contract.version} unknown`];
  equal(runs, expected, "runs");
}

const unknownType = lifecycleCase({
  name: "unknown-type",
  guarantees: ["LC-8"],
  title: "a task of an unknown type comes back until a worker that knows it comes; others flow meanwhile",
  run: (world, t) => comesLater(world, t, probe, []),
});

const unknownVersion = lifecycleCase({
  name: "unknown-version",
  guarantees: ["LC-8"],
  title: "a task of an unsupported version comes back until a worker that knows it comes; others flow meanwhile",
  run: (world, t) => comesLater(world, t, newer, [probe]),
});

const old = { unknownType: { delayMs: DELAY_MS, maxAgeMs: MAX_AGE_MS } };

const unknownTooLong = lifecycleCase({
  name: "unknown-type-too-long",
  guarantees: ["LC-8"],
  title: "a task that nobody knows is DEAD_LETTER once it is older than the limit, and not before",
  async run(world, t) {
    const observer = new Observer(t, await world.open());
    await world.worker((app) => app.handle(step, ({ n }) => n), old);
    const submittedAt = t.clock.now();
    const task = await (await world.process()).app.submit(probe, { n: 1 }, { id: "task" });
    await t.until("it is dead", async () => (await task.status()).status === "DEAD_LETTER", {
      withinMs: RECOVERY_MS,
    });
    assert(t.clock.now() - submittedAt >= MAX_AGE_MS, "it is dead before its time");
    // The record says so first.
    const isThere = async () => (await observer.deadLetters()).length > 0;
    await t.until("its dead letter is there", isThere, { withinMs: RECOVERY_MS });
    await observer.untilAtRest();
    equal((await observer.deadLetters()).length, 1, "dead letters");
  },
});

const strange = defineCommand("strange", { input: any<{ n: number }>() });

const unknownCommand = lifecycleCase({
  name: "unknown-command",
  guarantees: ["LC-8"],
  title: "a plain command that nobody knows is dead-lettered once it is older than the limit, and not before",
  async run(world, t) {
    const observer = new Observer(t, await world.open());
    await world.worker((app) => app.handle(step, ({ n }) => n), old);
    const sentAt = t.clock.now();
    await (await world.process()).app.send(strange, { n: 1 });
    await t.until("it is dead", async () => (await observer.deadLetters()).length > 0, { withinMs: RECOVERY_MS });
    assert(t.clock.now() - sentAt >= MAX_AGE_MS, "it is dead before its time");
    await observer.untilAtRest();
    const [letter, ...more] = await observer.deadLetters();
    equal([letter?.type, more.length], ["strange", 0], "what is dead");
  },
});

export const unknownTypeCases: readonly ConformanceCase[] = [
  unknownType,
  unknownVersion,
  unknownTooLong,
  unknownCommand,
];
