import type { CaseContext } from "../case.ts";
import type { Around } from "./switched-ports.ts";
import type { AppProcess } from "./world.ts";

/** Calls that change nothing: a death around them is a death at the next one. */
const WITHOUT_EFFECT = /\.(?:get|list|read|inspect|consumption\.close|work|listen)$/;

/** Counts the moments at which a process may die, and ends it at one of them. */
export class CrashPoints {
  /** What each moment was, in order. */
  readonly passed: string[] = [];
  readonly #at: number;
  readonly #process: AppProcess;

  /** @param at the number, from 1, of the moment to die at; none where it is 0. */
  constructor(process: AppProcess, at: number) {
    this.#process = process;
    this.#at = at;
    process.switched.around = this.#around;
  }

  /** The moment of its death; `undefined` while it lives. */
  get diedAt(): string | undefined {
    return this.#at > 0 ? this.passed[this.#at - 1] : undefined;
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
    if (this.passed.length >= this.#at && this.#at > 0) return;
    this.passed.push(moment);
    if (this.passed.length === this.#at) await this.#process.kill();
  }
}

/** Every moment, or as many of them, evenly spread, as there is time for. */
export function chosen(t: CaseContext, count: number): readonly number[] {
  const most = t.size(count, 10);
  if (most >= count) return Array.from({ length: count }, (_, at) => at + 1);
  return Array.from({ length: most }, (_, at) => 1 + Math.floor((at * count) / most));
}
