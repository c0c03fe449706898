import { setTimeout as sleep } from "node:timers/promises";
import type { Recipe } from "./recipe.ts";

const START_MS = 60_000;
const POLL_MS = 10;
const TRIES = 5;

/** Starts a server on a port that was free a moment ago; once more on another where somebody else was quicker to take it. */
export async function onFreePort<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (error) {
      if (tries === TRIES || !/in use|eaddrinuse|already_used|port is already allocated/i.test(String(error)))
        throw error;
    }
  }
}

/** @returns its version, once it answers. @throws when it ends instead, or takes too long. */
export async function untilAnswers(
  recipe: Recipe,
  port: number,
  isRunning: () => boolean | Promise<boolean>,
): Promise<string> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      return await recipe.probe(recipe.url(port));
    } catch (error) {
      if (!(await isRunning())) throw new Error("it ended", { cause: error });
      if (performance.now() > deadline) throw new Error(`no answer within ${START_MS / 1_000} s`, { cause: error });
      await sleep(POLL_MS);
    }
  }
}

/** Says what the server itself said before its start failed. */
export function startFailed({ kind }: Recipe, port: number, words: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${kind} could not be started on port ${port}, ${why}. It said: ${words}`, { cause });
}
