import type { Adapter, Clock } from "@intermodal/core/ports";
import type { FaultName, Faults } from "./harness.ts";

/** What a case looks at: one port, or the life of tasks over a command bus, an event bus, a state store and an event stream together. */
export type Subject =
  | "commandBus"
  | "eventBus"
  | "taskStateStore"
  | "eventStream"
  | "scheduleStore"
  | "rateLimiter"
  | "inbox"
  | "lifecycle";

/** One promise put to the test. */
export interface ConformanceCase {
  /** Unique and stable, such as `command-bus/one-worker-each`. */
  readonly id: string;
  readonly subject: Subject;
  /** Numbers in `docs/contract.md`, such as `CB-2`. */
  readonly guarantees: readonly string[];
  readonly title: string;
  /** Faults without which the case can't be run; it is skipped, with that reason, where the harness lacks one. */
  readonly needs?: readonly FaultName[];
  /** Resolves when the promise was kept; rejects with an `AssertionError` when not. */
  run(t: CaseContext): Promise<void>;
}

/** What a case works with. Everything it opens is closed after it, and its namespace is its own. */
export interface CaseContext {
  readonly namespace: string;
  /** The clock of everything under test: virtual where the harness has one. */
  readonly clock: Clock;
  /** Opens another client, as another process would. */
  open(options?: { readonly namespace?: string; readonly clock?: Clock }): Promise<Adapter>;
  /** Only what `needs` names may be used. */
  readonly faults: Faults;
  /** How many: `full` in a soak, `small` in an ordinary run. */
  size(full: number, small: number): number;
  /** In an ordinary run: at how many moments of a crash case something happens. In a soak it is every one. */
  readonly moments: number;
  /** In an ordinary run: the number, from 1, of the first of them. */
  readonly firstMoment: number;
  /** Lets `ms` pass on the clock. */
  sleep(ms: number): Promise<void>;
  /**
   * Waits for a condition. @throws `AssertionError` naming `what` when it doesn't hold within `withinMs` (on the clock).
   * @default withinMs 10,000
   */
  until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    options?: { readonly withinMs?: number },
  ): Promise<void>;
  /** Watches that a condition does not come true for `forMs` on the clock. */
  never(what: string, condition: () => boolean | Promise<boolean>, options: { readonly forMs: number }): Promise<void>;
  /** Names what the case waits for, beside `until` and `never`, in the error of a case that takes too long. @returns says that it is over. */
  waitsFor(what: string): () => void;
  /** Ends the case as not applicable, for a reason that is printed. */
  skip(reason: string): never;
}
