import { setTimeout as sleep } from "node:timers/promises";
import { type AdapterFactory, type ErrorCode, type IntermodalError, isIntermodalError } from "@intermodal/core";
import { expect } from "vitest";
import { command, event } from "./contracts.ts";
import { LogBook } from "./log-book.ts";
import type { Stage } from "./stage.ts";

/** The default time-outs, and what a busy machine adds to them. */
export const BOUNDED_MS = 15_000;
/** After everything else was refused. */
const STARTING_MS = 1_000;

export interface Refusal {
  readonly url: string;
  readonly adapters?: readonly AdapterFactory[] | undefined;
  /** `UNAVAILABLE` may pass: then a start goes on trying. */
  readonly code: ErrorCode;
  /** Names the cause and the cure. */
  readonly says: RegExp;
  /** May stand nowhere. */
  readonly secrets?: readonly string[];
}

/** Everything that reaches for the broker fails as it should, in bounded time, and tells no secret. */
export async function expectRefusal(stage: Stage, refusal: Refusal): Promise<void> {
  const { url, adapters, code, says, secrets = [] } = refusal;
  const book = new LogBook();
  const open = () => stage.app({ url }, { logger: book, adapters });
  const [app, worker] = await Promise.all([open(), open()]);
  worker.handle(command, () => {});
  const starting = refusalOf(() => worker.start());
  const isCurable = code === "UNAVAILABLE";
  const refused = await Promise.all([
    refusalOf(() => app.connect()),
    refusalOf(() => app.send(command, { n: 0 })),
    refusalOf(() => app.publish(event, { n: 0 })),
    ...(isCurable ? [] : [inTime(starting)]),
  ]);
  if (isCurable) expect(await Promise.race([starting, sleep(STARTING_MS)]), "a start goes on trying").toBeUndefined();
  book.add(refused, await app.health(), await worker.health());
  for (const { error, tookMs } of refused) {
    expect([error.code, error.message, error.unknown]).toEqual([code, expect.stringMatching(says), false]);
    expect(tookMs).toBeLessThan(BOUNDED_MS);
  }
  const stopping = performance.now();
  await Promise.all([app.stop(), worker.stop()]);
  expect(performance.now() - stopping, "stopping").toBeLessThan(BOUNDED_MS);
  book.add(await starting);
  expect(book.leaks(secrets)).toEqual([]);
}

async function inTime<T>(something: Promise<T>): Promise<T> {
  const result = await Promise.race([something, sleep(BOUNDED_MS)]);
  if (result === undefined) throw new Error("a start goes on trying what cannot be cured");
  return result;
}

/** @throws when nothing was refused, or not with an error of the SDK. */
async function refusalOf(act: () => Promise<unknown>): Promise<{ readonly error: IntermodalError; tookMs: number }> {
  const begun = performance.now();
  try {
    await act();
  } catch (error) {
    if (!isIntermodalError(error)) throw error;
    return { error, tookMs: performance.now() - begun };
  }
  throw new Error("it was not refused");
}
