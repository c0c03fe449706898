import { IntermodalError } from "../errors.ts";
import { type Delivery, LEAVE, type Settlement } from "../ports/delivery.ts";
import type { MessageQueue } from "./message-queue.ts";
import type { StoredMessage } from "./stored-message.ts";

/** A delivery in the hands of a client. */
export class HeldDelivery implements Delivery {
  readonly id: string;
  readonly type: string;
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly sentAt: number;
  readonly queue: MessageQueue;
  /** When the lease runs out, by the client's reckoning. */
  leaseUntil: number;
  /** Its place among those in hand. */
  place = -1;
  /** What the handler said, once it has. */
  settlement: Settlement = LEAVE;
  readonly #message: StoredMessage;
  readonly #tag: number;
  #lost = false;
  #controller: AbortController | undefined;

  constructor(queue: MessageQueue, message: StoredMessage) {
    this.id = message.id;
    this.type = message.type;
    this.body = message.body;
    this.attempt = message.attempts + 1;
    this.sentAt = message.sentAt;
    this.queue = queue;
    this.leaseUntil = message.leaseUntil;
    this.#message = message;
    this.#tag = message.tag;
  }

  /** On the server's side. @returns whether it is still held here. */
  renew(): boolean {
    if (!this.queue.renew(this.#message, this.#tag)) return false;
    this.leaseUntil = this.#message.leaseUntil;
    return true;
  }

  /** On the server's side: does what the handler said. */
  settle(): void {
    this.queue.settle(this.#message, this.#tag, this.settlement);
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /** Made when somebody asks for it: most handlers never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#lost) this.#abort();
    return this.#controller.signal;
  }

  lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#abort();
  }

  #abort(): void {
    if (this.#controller === undefined || this.#controller.signal.aborted) return;
    this.#controller.abort(
      new IntermodalError("LEASE_LOST", `message ${this.id} is no longer held here; somebody else may have it`),
    );
  }
}
