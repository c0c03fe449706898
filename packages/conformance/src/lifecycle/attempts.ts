import { type App, defineTask, fixed, RetryAfterError, type RetryOptions, TaskFailedError } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { assertNotEarly } from "../delivery/timing.ts";
import { any } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { GRACE_MS, lifecycleCase, RECOVERY_MS, type World } from "./world.ts";

const BACKOFF_MS = 400;

function flaky(retry: RetryOptions) {
  return defineTask("flaky", { input: any<{ n: number }>(), output: any<number>(), retry });
}

/** Runs a task whose attempts do what they are told, one after the other; the last one again and again. */
async function tryOut(world: World, t: CaseContext, retry: RetryOptions, attempts: readonly (() => number)[]) {
  const contract = flaky(retry);
  const startedAt: number[] = [];
  const observer = new Observer(t, await world.open());
  await world.worker((app: App) =>
    app.handle(contract, (_, ctx) => {
      startedAt.push(t.clock.now());
      equal(ctx.attempt, startedAt.length, "the attempt's number");
      return (attempts[startedAt.length - 1] ?? (attempts.at(-1) as () => number))();
    }),
  );
  const task = await (await world.process()).app.submit(contract, { n: 1 }, { id: "task" });
  const error: unknown = await task.result({ timeoutMs: RECOVERY_MS }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await observer.untilAtRest();
  await observer.assertStays(3 * GRACE_MS);
  const { status, attempts: counted, result } = await task.status();
  equal(counted, startedAt.length, "attempts counted and made");
  const gaps = startedAt.slice(1).map((at, index) => at - (startedAt[index] as number));
  return { status, attempts: counted, result, error, gaps, deadLetters: await observer.deadLetters() };
}

function failing(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

const exhausted = lifecycleCase({
  name: "attempts-exhausted",
  guarantees: ["LC-6"],
  title: "a task that always fails is tried maxAttempts times, each after its backoff; then it is DEAD_LETTER, once",
  async run(world, t) {
    const retry = { maxAttempts: 3, backoff: fixed(BACKOFF_MS) };
    const ended = await tryOut(world, t, retry, [failing("first"), failing("second"), failing("third")]);
    equal([ended.status, ended.attempts], ["DEAD_LETTER", 3], "status and attempts");
    for (const gap of ended.gaps) assertNotEarly("the next attempt", gap, BACKOFF_MS);
    const { error } = ended;
    assert(error instanceof TaskFailedError, `result() rejects with a TaskFailedError, not ${String(error)}`);
    equal([error.status, error.attempts, error.taskId], ["DEAD_LETTER", 3, "task"], "what the error says");
    equal((error.cause as Error | undefined)?.message, "third", "its cause");
    equal(ended.deadLetters.length, 1, "dead letters");
    const body = JSON.parse(new TextDecoder().decode(ended.deadLetters[0]?.body)) as { id: string; data: unknown };
    equal({ id: body.id, data: body.data }, { id: "task", data: { n: 1 } }, "the bytes that were put aside");
  },
});

const lastAttempt = lifecycleCase({
  name: "attempts-last",
  guarantees: ["LC-6"],
  title: "a task that succeeds on its last attempt is COMPLETED",
  async run(world, t) {
    const retry = { maxAttempts: 3, backoff: fixed(BACKOFF_MS) };
    const ended = await tryOut(world, t, retry, [failing("first"), failing("second"), () => 7]);
    equal([ended.status, ended.attempts, ended.result], ["COMPLETED", 3, 7], "status, attempts and result");
    equal(ended.deadLetters.length, 0, "dead letters");
  },
});

const retryAfter = lifecycleCase({
  name: "attempts-retry-after",
  guarantees: ["LC-6"],
  title: "RetryAfterError chooses the delay before the next attempt",
  async run(world, t) {
    const asked = () => {
      throw new RetryAfterError(3_000);
    };
    const ended = await tryOut(world, t, { maxAttempts: 3, backoff: fixed(10) }, [asked, () => 7]);
    equal([ended.status, ended.attempts], ["COMPLETED", 2], "status and attempts");
    assertNotEarly("the next attempt", ended.gaps[0] as number, 3_000);
  },
});

const when = lifecycleCase({
  name: "attempts-when",
  guarantees: ["LC-6", "LC-7"],
  title: "retry.when says which errors are worth another attempt",
  async run(world, t) {
    const retry = {
      maxAttempts: 5,
      backoff: fixed(10),
      when: (error: unknown) => (error as Error).message === "again",
    };
    const ended = await tryOut(world, t, retry, [failing("again"), failing("again"), failing("never")]);
    equal([ended.status, ended.attempts], ["FAILED", 3], "status and attempts");
    equal((ended.error as TaskFailedError).error?.message, "never", "its error");
  },
});

export const attemptsCases: readonly ConformanceCase[] = [exhausted, lastAttempt, retryAfter, when];
