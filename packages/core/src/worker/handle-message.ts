import type { RetryPolicy } from "../contracts/index.ts";
import { IntermodalError, messageOf } from "../errors.ts";
import { ACK, type Delivery, type Settlement } from "../ports/delivery.ts";
import { isNonRetryable, retryAfterMs } from "./errors.ts";

/**
 * Runs the handler of an untracked message, a plain command's or a listener's: the bus counts its attempts.
 * @param run rejects when the attempt has failed.
 */
export async function handleMessage(
  delivery: Delivery,
  retry: RetryPolicy,
  run: () => Promise<unknown>,
): Promise<Settlement> {
  const { attempt } = delivery;
  if (attempt > retry.maxAttempts) {
    return { kind: "dead-letter", reason: `all ${retry.maxAttempts} attempts used up; its holder died in the last` };
  }
  try {
    await run();
    return ACK;
  } catch (error) {
    if (isNonRetryable(error) || (retry.when !== undefined && !retry.when(error))) {
      return { kind: "dead-letter", reason: messageOf(error) };
    }
    if (attempt >= retry.maxAttempts) {
      return { kind: "dead-letter", reason: `all ${attempt} attempts used up; the last: ${messageOf(error)}` };
    }
    return {
      kind: "retry",
      delayMs: retryAfterMs(error) ?? retry.backoff.delayMs(attempt, Math.random),
      counted: true,
    };
  }
}

/** Untracked messages that are being handled in this process, so that they can be named and asked to stop. */
export class RunningMessages {
  readonly #running = new Map<AbortController, { readonly id: string; readonly type: string }>();

  async run<T>(
    message: { readonly id: string; readonly type: string },
    run: (abort: AbortController) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController();
    this.#running.set(abort, { id: message.id, type: message.type });
    try {
      return await run(abort);
    } finally {
      this.#running.delete(abort);
    }
  }

  shutDown(): void {
    for (const abort of this.#running.keys())
      abort.abort(new IntermodalError("SHUTDOWN", "the worker is shutting down"));
  }

  get list(): readonly { readonly id: string; readonly type: string }[] {
    return [...this.#running.values()];
  }
}
