import type { Adapter, Clock } from "@intermodal/core/ports";

/** What an adapter under test is given as its surroundings. */
export interface Harness {
  /** In reports only. */
  readonly name: string;
  /** Makes a new client over the same server, as another process would. Its `close()` is called after the case. */
  create(options: {
    readonly namespace: string;
    readonly node: string;
    readonly clock: Clock;
  }): Adapter | Promise<Adapter>;
  /** Faults that can be brought about; a case that needs one that is missing is skipped with that reason. */
  readonly faults?: Partial<Faults>;
  /** A clock that the harness turns, for adapters whose server runs in virtual time. Absent: real time. */
  readonly virtualClock?: VirtualTime;
  /** Removes what a namespace left on the server. */
  cleanup?(namespace: string): Promise<void>;
  /**
   * `small` in an ordinary test run; `full` for the figures of a soak.
   * @default "small"
   */
  readonly size?: "small" | "full";
  /**
   * In an ordinary run: at how many moments of a crash case, evenly spread, something happens. In a soak it is every one.
   * @default 10
   */
  readonly moments?: number;
  /**
   * In an ordinary run: which of a crash case's moments comes first, the others following round the end. Another number in each of several runs tries others.
   * @default 1
   */
  readonly firstMoment?: number;
}

/** Time that passes only when told to. */
export interface VirtualTime extends Clock {
  /** Passes `ms`, running what falls due in order and letting everything that it starts settle. */
  advance(ms: number): Promise<void>;
  /** Lets everything settle that needs no time. */
  settle(): Promise<void>;
}

/** What can go wrong, brought about on purpose. Each resolves when it has happened. */
export interface Faults {
  /** Stops the server at once; connections break. What it held durably stays. */
  stop(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** Breaks the client's connections and keeps them broken until `mend`. */
  cut(adapter: Adapter): Promise<void>;
  mend(adapter: Adapter): Promise<void>;
  /** The next `count` requests of the client take effect on the server, but their answers are lost and the connection breaks and comes back. */
  loseAnswers(adapter: Adapter, count: number): Promise<void>;
  /** The client's process dies: it sends nothing more, and whatever it was waiting for never comes. */
  kill(adapter: Adapter): Promise<void>;
  /** Removes a queue's consumer on the server behind the clients' backs, where there is such a thing. Messages stay. */
  deleteConsumer(namespace: string, queue: string): Promise<void>;
  /** Trims everything published so far, as retention would. */
  trimEvents(namespace: string): Promise<void>;
}

export type FaultName = keyof Faults;
