import type { Consumption, DeadLetters, DeliveryHandler } from "./delivery.ts";

/** A message for exactly one worker of a queue. */
export interface OutgoingCommand {
  /** A name that passed `checkName`. */
  readonly queue: string;
  /** Transport id: the same id is the same message. A deliberate second sending carries another one. */
  readonly id: string;
  readonly type: string;
  readonly body: Uint8Array;
  /**
   * Deliver no earlier than this many milliseconds after it was taken.
   * @default 0
   */
  readonly delayMs?: number | undefined;
}

/** What an instance does beyond the contract, and where its limits are. */
export interface CommandBusCapabilities {
  /** Its messages are gone with this process: tasks that the store still knows to be waiting are sent again by the next. */
  readonly processLocal: boolean;
  /** A second `send` of the same id within this time is the same message; 0 where the broker does not recognise it. */
  readonly dedupeWindowMs: number;
  /** The longest delay, of a send or a retry, that it keeps; a longer one rejects with `NOT_SUPPORTED` (send) or is cut to this (retry). */
  readonly maxDelayMs: number;
  /** The longest a handler may take before the broker takes the delivery away in spite of renewals. */
  readonly maxHandlerMs: number;
  /** The longest body; a longer one rejects with `PAYLOAD_TOO_LARGE`. */
  readonly maxPayloadBytes: number;
  /** A send to a queue that no worker ever used: `wait` keeps it for the first worker, `reject` rejects with `UNROUTABLE`. */
  readonly unroutable: "wait" | "reject";
  /** How long a delivery stays with a holder that stopped renewing it. At most 15,000. */
  readonly leaseMs: number;
  /** Whether {@link QueueInspection.inFlight} can be told. */
  readonly countsInFlight: boolean;
  /** Whether {@link QueueInspection.delayed} can be told. */
  readonly countsDelayed: boolean;
}

/** How a queue stands. Counts may lag by a second. */
export interface QueueInspection {
  /** Waiting for a worker now. */
  readonly ready: number;
  /** In the hands of workers; `undefined` where the broker doesn't tell. */
  readonly inFlight: number | undefined;
  /** Waiting for their time; `undefined` where the broker doesn't tell. */
  readonly delayed: number | undefined;
  readonly dead: number;
}

/** How a queue is worked on by one consumption. */
export interface WorkOptions {
  /** How many deliveries `handle` may hold at once; no more than about as many are taken from the broker. */
  readonly concurrency: number;
}

/**
 * Commands: each message is handled by exactly one worker of its queue.
 *
 * Delivery: at least once after `send` resolved. Ordering: none promised. Idempotency: by transport id within `dedupeWindowMs`.
 * Concurrency: every method may be called at any time from anywhere. After `close()` of the adapter every method rejects with `CLOSED`.
 */
export interface CommandBus {
  readonly capabilities: CommandBusCapabilities;

  /**
   * Resolves only when the broker holds all of the commands durably.
   * @throws {BatchError} when only some failed. @throws `UNAVAILABLE` when the broker cannot be reached within a bounded time, with `unknown`
   * set where the answer was lost; `PAYLOAD_TOO_LARGE`, `UNROUTABLE`, `NOT_SUPPORTED`, `CLOSED`.
   */
  send(commands: readonly OutgoingCommand[]): Promise<void>;

  /**
   * Starts to hand the queue's messages to `handle`, at most `concurrency` at once, each to one worker only. The adapter renews the lease while
   * `handle` runs, redelivers within 15 s when the process dies, settles exactly what it received and nothing else, stalls nobody behind a
   * delayed, slow or dead message, and comes back by itself after a restart, a cut, a deleted consumer and a long outage.
   *
   * Resolves once the broker delivers; while the broker cannot be reached it keeps trying.
   * @throws `CLOSED`; what trying again cannot cure (`CONFIG_INVALID`: wrong credentials, a topology that differs).
   */
  work(queue: string, options: WorkOptions, handle: DeliveryHandler): Promise<Consumption>;

  /** Dead letters by queue. */
  readonly deadLetters: DeadLetters;

  /** An unknown queue is empty. */
  inspect(queue: string): Promise<QueueInspection>;
}
