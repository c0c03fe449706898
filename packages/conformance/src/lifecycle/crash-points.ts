import { AssertionError } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import type { Around } from "./switched-ports.ts";
import type { AppProcess } from "./world.ts";

/** Calls that change nothing: a death around them is a death at the next one. */
export const WITHOUT_EFFECT = /\.(?:get|list|read|inspect|consumption\.close|work|listen)$/;

/** Counts the moments of a process, and at one of them does something to it: ends it, unless told otherwise. */
export class CrashPoints {
  /** What the moments were, in order. */
  readonly passed: string[];
  readonly #at: number;
  readonly #strike: () => Promise<unknown>;
  #struck = false;

  /** @param at the number, from 1, of the moment; none where it is 0. */
  constructor(process: AppProcess, at: number, passed: string[] = [], strike = () => process.kill()) {
    this.passed = passed;
    this.#at = at;
    this.#strike = strike;
    process.switched.around = this.#around;
  }

  /** It has happened. */
  get struck(): boolean {
    return this.#struck;
  }

  readonly #around: Around = async (call, run) => {
    if (WITHOUT_EFFECT.test(call.name)) return run();
    await this.#pass(`before ${call.name}`);
    const answer = await run();
    // Where a settlement goes, nothing comes back: the moment after it is the one before the next call.
    if (call.kind === "call") await this.#pass(`after ${call.name}`);
    return answer;
  };

  async #pass(moment: string): Promise<void> {
    if (this.#struck) return;
    this.passed.push(moment);
    if (this.passed.length !== this.#at) return;
    this.#struck = true;
    await this.#strike();
  }
}

/**
 * Runs something once to learn its moments, and then once for each of them (or as many, evenly spread, as there is time for).
 * @param run gets the number of the moment, 0 for none.
 */
export async function atEachMoment(t: CaseContext, what: string, run: (at: number) => Promise<Moments>): Promise<void> {
  const { passed } = await run(0);
  for (const at of chosen(t, passed.length)) {
    try {
      await run(at);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      const moment = `${what} at moment ${at} of ${passed.length}, about "${passed[at - 1]}"`;
      throw new AssertionError(`${moment}: ${error.message}`, error.showDiff ? error : undefined);
    }
  }
}

/** Every moment, or as many of them, evenly spread, as there is time for. */
export function chosen(t: CaseContext, count: number): readonly number[] {
  const most = Math.min(count, t.size(count, t.moments));
  const first = t.firstMoment - 1;
  return Array.from({ length: most }, (_, turn) => 1 + ((first + Math.floor((turn * count) / most)) % count));
}

/** What the moments were, in order. */
export interface Moments {
  readonly passed: readonly string[];
}
