import type { Clock } from "./clock.ts";
import type { CommandBus } from "./command-bus.ts";
import type { EventBus } from "./event-bus.ts";
import type { EventStream } from "./event-stream.ts";
import type { Inbox } from "./inbox.ts";
import type { Logger } from "./logger.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { TaskStateStore } from "./task-state-store.ts";

/** Raised when a port changes so that an older adapter no longer fits. */
export const ADAPTER_API = 1;

/** One or more ports over one server. */
export interface Adapter {
  readonly name: string;
  readonly commandBus?: CommandBus | undefined;
  readonly eventBus?: EventBus | undefined;
  readonly taskStateStore?: TaskStateStore | undefined;
  readonly eventStream?: EventStream | undefined;
  readonly scheduleStore?: ScheduleStore | undefined;
  readonly rateLimiter?: RateLimiter | undefined;
  readonly inbox?: Inbox | undefined;
  /** Resolves when the server answers. Every port connects by itself at its first use; this only finds out early. @throws `UNAVAILABLE`, `CONFIG_INVALID`. */
  connect(): Promise<void>;
  health(): Promise<AdapterHealth>;
  /** Stops every consumption without waiting for handlers, lets go of the server, and closes what it opened itself. Idempotent. Everything rejects with `CLOSED` from then on. */
  close(): Promise<void>;
}

/** How an adapter's server can be reached now. */
export interface AdapterHealth {
  readonly connected: boolean;
  /** What this adapter consumes: one entry for each queue that it works on and each listener that it is. Absent where the adapter does not tell. */
  readonly consumptions?: readonly ConsumptionHealth[] | undefined;
  /** What an operator wants to know, without credentials. */
  readonly detail?: string | undefined;
}

/** How one consumption stands. */
export interface ConsumptionHealth {
  /** The queue, or the {@link listenerKey} of the listener. */
  readonly place: string;
  /** The server delivers to it now. */
  readonly consuming: boolean;
  /** How many messages wait at the server; `undefined` while it cannot be asked. */
  readonly lag: number | undefined;
}

/** What an adapter is made with. */
export interface AdapterContext {
  /** The URL that was configured; its scheme is one of the factory's. */
  readonly url: string;
  /** Keeps environments apart; passed `checkName`. */
  readonly namespace: string;
  /** Names this process to servers and in logs. */
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How an adapter is registered: `createApp({ adapters: [nats()] })`. */
export interface AdapterFactory {
  readonly name: string;
  readonly adapterApi: number;
  /** URL schemes without the colon. */
  readonly schemes: readonly string[];
  /** Does no I/O. @throws `CONFIG_INVALID` for a URL that cannot be right. */
  create(context: AdapterContext): Adapter;
}
