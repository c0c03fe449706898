import type { Handling } from "./book.ts";

/** Everything that is known of a run of one group. */
export interface Evidence {
  readonly messages: number;
  readonly acknowledged: ReadonlySet<number>;
  /** Messages that were sent again after an answer had been lost. */
  readonly unknown: ReadonlySet<number>;
  readonly handlings: ReadonlyMap<number, readonly Handling[]>;
  /** Every dead letter's message. */
  readonly dead: readonly number[];
  /** When processes were killed, by their numbers. */
  readonly kills: ReadonlyMap<number, number>;
  /** When the broker was away. */
  readonly outages: readonly { readonly from: number; readonly to: number }[];
  readonly failsForGood: (index: number) => boolean;
  /** Failed tries leave no note, so it is not known who had such a message before. */
  readonly failsAtFirst: (index: number) => boolean;
}

/** Why messages were handled more than once: counts of further handlings. */
export interface Duplicates {
  /** Sent again, since the answer to the first sending was lost. */
  readonly sentTwice: number;
  /** Whoever handled it was killed before its acknowledgement was taken. */
  readonly afterKill: number;
  /** The broker was killed before it had kept the acknowledgement. */
  readonly afterRestart: number;
  /** It failed on purpose before: a kill between the storing of its copy and the acknowledgement leaves both. */
  readonly afterRetry: number;
  /** None of these: messages that two had at a time. */
  readonly unexplained: readonly number[];
}

export interface Findings {
  readonly handled: number;
  readonly dead: number;
  /** Dead letters beyond the first of a message. */
  readonly deadTwice: number;
  /** Acknowledged, and neither handled nor in the dead letters. */
  readonly missing: readonly number[];
  /** Handled or dead, and never sent. */
  readonly invented: readonly number[];
  /** In the dead letters, although nothing made them fail for good. */
  readonly deadForNothing: readonly number[];
  readonly duplicates: Duplicates;
}

/** An acknowledgement is on its way for less than this. */
const IN_FLIGHT_MS = 2_000;
/** What a killed broker had acknowledged and not kept is younger than this. */
const UNSYNCED_MS = 10_000;

/** Acknowledged ⊆ handled ∪ dead letters; handled and dead ⊆ sent; duplicates counted and explained. */
export function judge(evidence: Evidence): Findings {
  const { messages, acknowledged, handlings, failsForGood } = evidence;
  const dead = new Set(evidence.dead);
  const seen = new Set([...handlings.keys(), ...dead]);
  return {
    handled: handlings.size,
    dead: dead.size,
    deadTwice: evidence.dead.length - dead.size,
    missing: [...acknowledged].filter((index) => !seen.has(index)),
    invented: [...seen].filter((index) => !(index >= 0 && index < messages)),
    deadForNothing: [...dead].filter((index) => !failsForGood(index)),
    duplicates: explain(evidence),
  };
}

function explain(evidence: Evidence): Duplicates {
  const found = { sentTwice: 0, afterKill: 0, afterRestart: 0, afterRetry: 0, unexplained: [] as number[] };
  for (const [index, list] of evidence.handlings) {
    const inOrder = list.toSorted((one, other) => one.at - other.at);
    for (const [position, next] of inOrder.entries()) {
      const previous = inOrder[position - 1];
      if (previous === undefined) continue;
      if (evidence.unknown.has(index)) found.sentTwice++;
      else if (wasKilledWith(evidence, previous)) found.afterKill++;
      else if (brokerForgot(evidence, previous, next)) found.afterRestart++;
      else if (evidence.failsAtFirst(index)) found.afterRetry++;
      else found.unexplained.push(index);
    }
  }
  return found;
}

function wasKilledWith({ kills }: Evidence, { process, at }: Handling): boolean {
  const killedAt = kills.get(process);
  return killedAt !== undefined && killedAt - at <= IN_FLIGHT_MS;
}

function brokerForgot({ outages }: Evidence, previous: Handling, next: Handling): boolean {
  return outages.some(({ from, to }) => {
    return previous.at >= from - UNSYNCED_MS && previous.at <= to + IN_FLIGHT_MS && next.at >= from;
  });
}
