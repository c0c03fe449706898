import type { TortureOptions } from "./options.ts";
import { seededRandom } from "./random.ts";

/** What a handler does with one message. */
export interface Behaviour {
  /** How many attempts fail: `Infinity` for one that ends in the dead letters. */
  readonly failures: number;
  /** How long it takes, so that some are always in mid-handler. */
  readonly takesMs: number;
}

/** The same in every process of a run. */
export function behaviourOf(seed: number, index: number): Behaviour {
  const random = seededRandom(seed ^ Math.imul(index + 1, 0x9e3779b1));
  const fate = random();
  const failures = fate < 0.002 ? Number.POSITIVE_INFINITY : fate < 0.006 ? 2 : fate < 0.016 ? 1 : 0;
  const takesMs = random() < 0.1 ? 1 + Math.floor(random() * 20) : 0;
  return { failures, takesMs };
}

export function failsForGood(seed: number, index: number): boolean {
  return behaviourOf(seed, index).failures === Number.POSITIVE_INFINITY;
}

/** One thing that is done to the run, as soon as a count has been reached. */
export type Fault =
  | { readonly kind: "kill"; readonly at: Moment; readonly victim: number }
  | { readonly kind: "restart"; readonly at: Moment; readonly downMs: number };

export interface Moment {
  readonly count: "acknowledged" | "handled";
  readonly reaches: number;
  /** Passed after it was reached, so that the moment is no multiple of anything. */
  readonly thenMs: number;
}

/** Moments by progress, not by the clock: on any machine they fall into the run, spread over all of it. */
export function planFaults(options: TortureOptions): readonly Fault[] {
  const random = seededRandom(options.seed);
  const spread = (index: number, of: number) => Math.floor(((index + random()) / of) * 0.9 * options.messages);
  const thenMs = () => Math.floor(random() * 50);
  const kills = Array.from({ length: options.kills }, (_, index): Fault => {
    const at = { count: "handled", reaches: spread(index, options.kills), thenMs: thenMs() } as const;
    return { kind: "kill", at, victim: random() };
  });
  const { min, max } = options.downMs;
  const restarts = Array.from({ length: options.restarts }, (_, index): Fault => {
    // In turns while messages are still sent, and while they are handled: a quick sender may be done early.
    const count = index % 2 === 0 ? "acknowledged" : "handled";
    const at = { count, reaches: spread(index, options.restarts), thenMs: thenMs() } as const;
    return { kind: "restart", at, downMs: Math.floor(min + random() * (max - min)) };
  });
  return [...kills, ...restarts];
}
