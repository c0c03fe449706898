import { HeldDelivery } from "../adapter/held-delivery.ts";
import { LEAVE, type Settlement } from "../ports/delivery.ts";
import type { MessageQueue } from "./message-queue.ts";
import type { StoredMessage } from "./stored-message.ts";

/** A delivery in the hands of a client. */
export class MemoryDelivery extends HeldDelivery<StoredMessage> {
  readonly queue: MessageQueue;
  /** When the lease runs out, by the client's reckoning. */
  leaseUntil: number;
  /** Its place among those in hand. */
  place = -1;
  /** What the handler said, once it has. */
  settlement: Settlement = LEAVE;
  readonly #tag: number;

  constructor(queue: MessageQueue, message: StoredMessage) {
    super({
      id: message.id,
      type: message.type,
      body: message.body,
      attempt: message.attempts + 1,
      sentAt: message.sentAt,
      raw: message,
    });
    this.queue = queue;
    this.leaseUntil = message.leaseUntil;
    this.#tag = message.tag;
  }

  /** On the server's side. @returns whether it is still held here. */
  renew(): boolean {
    if (!this.queue.renew(this.raw, this.#tag)) return false;
    this.leaseUntil = this.raw.leaseUntil;
    return true;
  }

  /** On the server's side: does what the handler said. */
  settle(): void {
    this.queue.settle(this.raw, this.#tag, this.settlement);
  }
}
