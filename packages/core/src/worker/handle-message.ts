import type { RetryPolicy } from "../contracts/index.ts";
import { IntermodalError, isIntermodalError, messageOf } from "../errors.ts";
import { ACK, type Delivery, type Settlement } from "../ports/delivery.ts";
import { HAND_BACK } from "./come-back.ts";
import { isRetryable, retryDelayMs } from "./errors.ts";

/** Untracked messages, plain commands and events, that are being handled in this process, so that they can be named and asked to stop. */
export class RunningMessages {
  readonly #running = new Map<AbortController, { readonly id: string; readonly type: string }>();
  #shutDown = false;

  /**
   * Runs the handler of one: the bus counts its attempts. After the shutdown it is handed back instead. Never rejects.
   * @param run rejects when the attempt has failed.
   */
  async handle(
    message: { readonly id: string; readonly type: string },
    delivery: Delivery,
    retry: RetryPolicy,
    run: (abort: AbortController) => Promise<unknown>,
  ): Promise<Settlement> {
    // Something before, such as the inbox, took longer than the drain.
    if (this.#shutDown) return HAND_BACK;
    const { attempt } = delivery;
    if (attempt > retry.maxAttempts) {
      const reason = `all ${retry.maxAttempts} attempts used up; its holder died in the last`;
      return { kind: "dead-letter", reason, attempts: attempt - 1 };
    }
    const abort = new AbortController();
    this.#running.set(abort, { id: message.id, type: message.type });
    try {
      await run(abort);
      return ACK;
    } catch (error) {
      // It stopped because it was asked to.
      if (isIntermodalError(abort.signal.reason, "SHUTDOWN")) return HAND_BACK;
      if (!isRetryable(error, retry)) return { kind: "dead-letter", reason: messageOf(error) };
      if (attempt >= retry.maxAttempts) {
        return { kind: "dead-letter", reason: `all ${attempt} attempts used up; the last: ${messageOf(error)}` };
      }
      return { kind: "retry", delayMs: retryDelayMs(error, retry, attempt), counted: true };
    } finally {
      this.#running.delete(abort);
    }
  }

  /** Asks those that run to stop, and begins no other. */
  shutDown(): void {
    this.#shutDown = true;
    for (const abort of this.#running.keys())
      abort.abort(new IntermodalError("SHUTDOWN", "the worker is shutting down"));
  }

  get list(): readonly { readonly id: string; readonly type: string }[] {
    return [...this.#running.values()];
  }
}
