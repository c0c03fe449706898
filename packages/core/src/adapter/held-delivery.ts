import { IntermodalError } from "../errors.ts";
import type { Delivery } from "../ports/delivery.ts";

/** A message as an adapter got it from its broker. */
export interface Received<Raw> extends Omit<Delivery, "signal"> {
  /** What the adapter needs to settle it. */
  readonly raw: Raw;
}

/** A delivery in the hands of this process. */
export class HeldDelivery<Raw> implements Delivery {
  readonly id: string;
  readonly type: string;
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly sentAt: number;
  readonly raw: Raw;
  #lost = false;
  #controller: AbortController | undefined;

  constructor({ id, type, body, attempt, sentAt, raw }: Received<Raw>) {
    this.id = id;
    this.type = type;
    this.body = body;
    this.attempt = attempt;
    this.sentAt = sentAt;
    this.raw = raw;
  }

  /** Somebody else may have it: nothing may be settled on it any more. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** Made when somebody asks for it: most handlers never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#lost) this.#abort(this.#controller);
    return this.#controller.signal;
  }

  /** Idempotent. */
  lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    if (this.#controller !== undefined) this.#abort(this.#controller);
  }

  #abort(controller: AbortController): void {
    if (controller.signal.aborted) return;
    controller.abort(
      new IntermodalError("LEASE_LOST", `message ${this.id} is no longer held here; somebody else may have it`),
    );
  }
}
