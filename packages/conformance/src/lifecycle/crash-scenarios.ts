import type { App, TaskStatus } from "@intermodal/core";
import type { probe } from "./contracts.ts";

/** Something that runs, to be crashed at every point of it. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What it is about, beside LC-1 and LC-2. */
  readonly guarantees: readonly string[];
  /** Notes in `runs` whatever runs. */
  serve(app: App, runs: string[]): void;
  /** What a client does beside submitting, such as cancelling; called until it says that it is done. */
  meanwhile?(app: App, id: string, runs: readonly string[]): Promise<boolean>;
  /** @default `probe` */
  readonly root?: typeof probe;
  readonly expected: {
    readonly status: TaskStatus;
    readonly result?: number;
    /** Keys of the root's sub-tasks. */
    readonly children: readonly string[];
    /** How many tasks there are below these. */
    readonly further?: number;
    /** @default as the root's */
    readonly childStatus?: TaskStatus;
  };
}

/** A handler that goes on until it is told to stop. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
