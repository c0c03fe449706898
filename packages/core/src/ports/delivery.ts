/** One message in the hands of one holder, as both buses deliver it. */
export interface Delivery {
  /** The transport id it was sent with. */
  readonly id: string;
  /** The type it was sent with; empty when the message came from elsewhere without one. */
  readonly type: string;
  /** The bytes exactly as they were sent. */
  readonly body: Uint8Array;
  /**
   * 1 for the first try. Earlier tries count when they ended by a counted `retry` or by the death of their holder while it handled the
   * message; an uncounted `retry`, a hand-back and waiting in a prefetch buffer do not count.
   */
  readonly attempt: number;
  /** When the broker took the message first, in milliseconds since the epoch; retries keep it. */
  readonly sentAt: number;
  /**
   * Aborts when this holder knows that it has lost the delivery (its lease ran out unrenewed, its channel is gone): somebody else may have it
   * now, and whatever `handle` still settles will be ignored.
   */
  readonly signal: AbortSignal;
}

/**
 * What becomes of a delivery.
 * - `ack`: done, never deliver it again.
 * - `retry`: deliver it again after `delayMs` (never early; late by at most 20 % + 1 s), holding up no other message meanwhile.
 *   `counted` says whether this try counts in {@link Delivery.attempt}.
 * - `dead-letter`: keep it aside once, with its original bytes, `reason` and `attempts`: how many tries it had, by default this one included.
 * - `leave`: do nothing at all; the holder is no longer this one.
 */
export type Settlement =
  | { readonly kind: "ack" }
  | { readonly kind: "retry"; readonly delayMs: number; readonly counted: boolean }
  | { readonly kind: "dead-letter"; readonly reason: string; readonly attempts?: number | undefined }
  | { readonly kind: "leave" };

/**
 * Handles one delivery and says what becomes of it. A rejection is settled as a counted `retry` after 1 s.
 */
export type DeliveryHandler = (delivery: Delivery) => Promise<Settlement>;

/** The settlement of what is done. */
export const ACK: Settlement = { kind: "ack" };
/** The settlement of what belongs to somebody else now. */
export const LEAVE: Settlement = { kind: "leave" };

/** What an adapter makes of a handler that rejected, which core's own never does. */
export const RETRY_AFTER_REJECTION: Settlement = { kind: "retry", delayMs: 1_000, counted: true };

/** A running consumption of a queue or a listener. */
export interface Consumption {
  /**
   * Takes nothing new from now on and hands back, uncounted, what the handler has not been given yet. Waits for the rest at most `timeoutMs`;
   * what still runs then keeps its lease renewed and settles when it ends. Idempotent.
   * @returns how many deliveries still run.
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<{ readonly running: number }>;
}

/** A message that nobody will handle until someone replays it. */
export interface DeadLetter {
  /** Names this dead letter to `replay` and `discard`: opaque, unique within its queue or listener. */
  readonly deadLetterId: string;
  /** Transport id of the message. */
  readonly id: string;
  readonly type: string;
  /** The original bytes. */
  readonly body: Uint8Array;
  readonly reason: string;
  /** How many tries it had. */
  readonly attempts: number;
  /** When it was put aside, in milliseconds since the epoch. */
  readonly deadAt: number;
}

/** Part of a listing. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Pass it as `cursor` to get the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/** Which part of a listing. */
export interface PageOptions {
  /** @default 100 */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** The dead letters of one queue or listener, in the order they were put aside. */
export interface DeadLetters {
  /** Does not change what it reads. @throws `NOT_FOUND` never: an unknown place is empty. */
  list(place: string, options?: PageOptions): Promise<Page<DeadLetter>>;
  /**
   * Sends dead letters again, with a fresh attempt count, to where they failed. A copy is gone from the dead letters only after the message is
   * durably back, so a crash in between can double it but never lose it.
   * @returns how many of the ids were there.
   */
  replay(place: string, deadLetterIds: readonly string[]): Promise<number>;
  /** Deletes dead letters. @returns how many of the ids were there. */
  discard(place: string, deadLetterIds: readonly string[]): Promise<number>;
}
