import type { Consumption, DeadLetters, DeliveryHandler } from "./delivery.ts";

/** A message for every listener. */
export interface OutgoingEvent {
  /** Transport id: the same id is the same message. */
  readonly id: string;
  /** A name that passed `checkName`. */
  readonly type: string;
  readonly body: Uint8Array;
}

/** A named durable subscriber: its replicas share its messages. Both parts passed `checkName`. */
export interface ListenerName {
  /** The app's name. */
  readonly service: string;
  readonly listener: string;
}

/** What a listener gets, and from where it starts. */
export interface ListenOptions {
  /** The types it gets, exact names. Changing them changes the durable. */
  readonly types: readonly string[];
  /**
   * Where a listener that is new starts: at what is published from now on, or at the oldest event that is still kept. A known listener goes on
   * where it was.
   */
  readonly from: "new" | "earliest";
  /** How many deliveries `handle` may hold at once in this process. */
  readonly concurrency: number;
  /** Told how many events were trimmed before this listener could get them, each exactly once among its replicas that are there. */
  readonly onGap?: (missed: number) => void;
}

/** What an instance does beyond the contract, and where its limits are. */
export interface EventBusCapabilities {
  /** A second `publish` of the same id within this time is the same event; 0 where the broker does not recognise it. */
  readonly dedupeWindowMs: number;
  readonly maxDelayMs: number;
  readonly maxPayloadBytes: number;
  /** How long a delivery stays with a holder that stopped renewing it. At most 15,000. */
  readonly leaseMs: number;
  /** Whether a listener can start at events published before it was made (`from: "earliest"`); without it `listen` rejects with `NOT_SUPPORTED`. */
  readonly replaysHistory: boolean;
  /** Whether what was trimmed while a listener was away can be counted. */
  readonly countsGaps: boolean;
  /** Whether {@link ListenerInspection.inFlight} can be told. */
  readonly countsInFlight: boolean;
  /** Whether {@link ListenerInspection.delayed} can be told. */
  readonly countsDelayed: boolean;
}

/** How a listener stands. Counts may lag by a second; each event is in one of them. */
export interface ListenerInspection {
  /** Published, kept, not handled yet. */
  readonly pending: number;
  /** In the hands of replicas; `undefined` where the broker doesn't tell. */
  readonly inFlight: number | undefined;
  /** Waiting for their time; `undefined` where the broker doesn't tell. */
  readonly delayed: number | undefined;
  readonly dead: number;
}

/**
 * Events: each listener gets every event of its types; replicas of one listener compete.
 *
 * Delivery: at least once to each listener that existed when `publish` resolved. Ordering: none promised. Concurrency: every method may be
 * called at any time. After `close()` of the adapter every method rejects with `CLOSED`.
 */
export interface EventBus {
  readonly capabilities: EventBusCapabilities;

  /**
   * Resolves only when the broker holds all of the events durably; succeeds where nobody listens.
   * @throws {BatchError} when only some failed. @throws `UNAVAILABLE` (with `unknown` where the answer was lost), `PAYLOAD_TOO_LARGE`, `CLOSED`.
   */
  publish(events: readonly OutgoingEvent[]): Promise<void>;

  /**
   * Makes the listener's durable, then resolves, then delivers; while the broker cannot be reached it keeps trying. The durable stays while
   * nobody consumes it, within the broker's retention. A failing or slow listener delays no other; `retry` and `dead-letter` concern this
   * listener alone. Comes back by itself as `CommandBus.work` does.
   * @throws `CLOSED`, `NOT_SUPPORTED`, `CONFIG_INVALID`.
   */
  listen(listener: ListenerName, options: ListenOptions, handle: DeliveryHandler): Promise<Consumption>;

  /** Removes the listener's durable, with what waits in it and its dead letters. Unknown listeners are no error. */
  forget(listener: ListenerName): Promise<void>;

  /** Dead letters by listener: the place is {@link listenerKey}. */
  readonly deadLetters: DeadLetters;

  /** An unknown listener is empty. */
  inspect(listener: ListenerName): Promise<ListenerInspection>;
}

/** One string for a listener; injective, since names hold no slash. */
export function listenerKey(listener: ListenerName): string {
  return `${listener.service}/${listener.listener}`;
}
