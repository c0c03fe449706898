import { expect, test } from "vitest";
import { z } from "zod";
import { defineTask, exponential, fixed, type RetryOptions } from "../contracts/index.ts";
import { isIntermodalError, NonRetryableError, RetryAfterError } from "../errors.ts";
import { createTestApp } from "../testing/index.ts";

function probe(options: { retry?: RetryOptions; timeoutMs?: number }) {
  return defineTask("probe", {
    input: z.object({ n: z.string().transform(Number) }),
    output: z.object({ n: z.number().max(100) }),
    ...options,
  });
}

/** Runs a task whose attempts throw what `errors` holds, one after the other, and notes when they began. */
async function attempt(retry: RetryOptions, errors: readonly unknown[], passMs: number) {
  const contract = probe({ retry });
  const { app, advance, clock } = createTestApp();
  const start = clock.now();
  const at: number[] = [];
  app.handle(contract, ({ n }) => {
    at.push(clock.now() - start);
    if (at.length <= errors.length) throw errors[at.length - 1];
    return { n };
  });
  await app.start();
  const task = await app.submit(contract, { n: "7" });
  await advance(passMs);
  const snapshot = await task.status();
  const result = await task.result().catch((error: unknown) => error);
  await app.stop();
  return { at, snapshot, result };
}

test("any throw is retried after the backoff, until it passes", async () => {
  const { at, snapshot, result } = await attempt({ backoff: fixed(2_000) }, ["text", new Error("x")], 10_000);
  expect(at).toEqual([0, 2_000, 4_000]);
  expect(snapshot).toMatchObject({ status: "COMPLETED", attempts: 3, retryCount: 2 });
  expect(result).toEqual({ n: 7 });
});

test("exponential backoff lies between half and all of its nominal delay", async () => {
  const backoff = exponential({ initialMs: 1_000, maxMs: 3_000 });
  const { at } = await attempt({ maxAttempts: 4, backoff }, [1, 2, 3].map(String), 60_000);
  const delays = at.slice(1).map((time, index) => time - (at[index] as number));
  [1_000, 2_000, 3_000].forEach((nominal, index) => {
    expect(delays[index]).toBeGreaterThanOrEqual(nominal / 2);
    expect(delays[index]).toBeLessThanOrEqual(nominal);
  });
});

test("attempts that are used up end as DEAD_LETTER, with status, attempts and cause in the error", async () => {
  const errors = [new Error("first"), Object.assign(new RangeError("last"), { code: "E_LAST" })];
  const { snapshot, result } = await attempt({ maxAttempts: 2, backoff: fixed(1) }, errors, 1_000);
  expect(snapshot).toMatchObject({ status: "DEAD_LETTER", outcome: "failure", attempts: 2 });
  expect(result).toMatchObject({
    name: "TaskFailedError",
    code: "TASK_FAILED",
    status: "DEAD_LETTER",
    attempts: 2,
    taskType: "probe",
    error: { name: "RangeError", message: "last", code: "E_LAST" },
    cause: { name: "RangeError", message: "last", code: "E_LAST" },
  });
});

test.each([
  ["NonRetryableError", {}, new NonRetryableError("no use")],
  ["one of another copy of the package", {}, Object.assign(new Error("no use"), { name: "NonRetryableError" })],
  ["what retry.when refuses", { when: (error: unknown) => !(error instanceof TypeError) }, new TypeError("no use")],
] as const)("%s ends as FAILED at once", async (_, retry, error) => {
  const { at, snapshot } = await attempt({ ...retry, backoff: fixed(1) }, [error], 10_000);
  expect(at).toEqual([0]);
  expect(snapshot).toMatchObject({ status: "FAILED", attempts: 1, error: { message: "no use" } });
});

test("RetryAfterError chooses the delay, and its attempt counts", async () => {
  const { at, snapshot } = await attempt({ maxAttempts: 2, backoff: fixed(1) }, [new RetryAfterError(45_000)], 60_000);
  expect(at).toEqual([0, 45_000]);
  expect(snapshot).toMatchObject({ status: "COMPLETED", attempts: 2 });
  const last = await attempt({ maxAttempts: 1 }, [new RetryAfterError(45_000)], 60_000);
  expect(last.snapshot).toMatchObject({ status: "DEAD_LETTER", attempts: 1 });
});

test("while it waits for its next attempt it is RETRYING and says when that is", async () => {
  const { app, advance, clock } = createTestApp();
  const contract = probe({ retry: { backoff: fixed(60_000) } });
  app.handle(contract, () => {
    throw new Error("busy");
  });
  await app.start();
  const start = clock.now();
  const task = await app.submit(contract, { n: "1" });
  await advance(30_000);
  expect(await task.status()).toMatchObject({
    status: "RETRYING",
    outcome: undefined,
    lastAttemptAt: start,
    nextAttemptAt: start + 60_000,
    error: { message: "busy" },
  });
  await app.stop();
});

test("timeoutMs aborts the attempt's signal with TIMEOUT; the attempt counts", async () => {
  const contract = probe({ timeoutMs: 5_000, retry: { maxAttempts: 2, backoff: fixed(1_000) } });
  const { app, advance } = createTestApp();
  const abortedAt: unknown[] = [];
  app.handle(contract, (_, { signal }) => {
    expect(signal.aborted).toBe(false);
    return new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => {
        abortedAt.push(signal.reason);
        reject(signal.reason);
      }),
    );
  });
  await app.start();
  const task = await app.submit(contract, { n: "1" });
  await advance(4_999);
  expect(abortedAt).toEqual([]);
  await advance(20_000);
  expect(abortedAt).toMatchObject([{ code: "TIMEOUT" }, { code: "TIMEOUT" }]);
  expect(await task.status()).toMatchObject({ status: "DEAD_LETTER", error: { code: "TIMEOUT" } });
  await app.stop();
});

test("an input that fails the worker's schema, and a result that fails it, end as FAILED", async () => {
  const loose = defineTask("probe", { input: z.any(), output: z.any() });
  const { app, idle } = createTestApp();
  app.handle(probe({}), ({ n }) => ({ n }));
  await app.start();
  const wrongInput = await app.submit(loose, { n: 5 });
  const wrongResult = await app.submit(loose, { n: "1000" });
  await idle();
  expect(await wrongInput.status()).toMatchObject({
    status: "FAILED",
    error: { code: "VALIDATION_FAILED", message: expect.stringContaining('input of task "probe"') },
  });
  expect(await wrongResult.status()).toMatchObject({
    status: "FAILED",
    error: { message: expect.stringContaining('result of task "probe"') },
  });
  await app.stop();
});

test("the cause of a failure is known by the code of this package that it was stored with", async () => {
  const { app, advance } = createTestApp();
  const contract = probe({});
  app.handle(contract, () => ({ n: 1 }));
  const task = await app.submit(contract, { n: "1" }, { delayMs: 1_000, expiresMs: 500 });
  await app.start();
  await advance(5_000);
  const error = (await task.result().catch((failure: unknown) => failure)) as Error;
  expect([isIntermodalError(error.cause, "EXPIRED"), isIntermodalError(error.cause, "CANCELLED")]).toEqual([
    true,
    false,
  ]);
  await app.stop();
});
