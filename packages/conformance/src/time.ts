import { type Clock, systemClock } from "@intermodal/core/ports";
import { AssertionError } from "./assert.ts";
import type { VirtualTime } from "./harness.ts";

/** How a case waits, on the machine's clock or on one that the harness turns. */
export interface CaseTime {
  readonly clock: Clock;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Lets time pass, until `at` on the clock. */
  passUntil(at: number): Promise<void>;
  /**
   * Resolves or rejects as `work` does; meanwhile time passes.
   * @param what The subject of the error.
   * @throws {@link AssertionError} when it takes longer than `limitMs` of the machine's time, or nothing can happen in it any more.
   */
  drive<T>(what: () => string, work: Promise<T>, limitMs: number): Promise<T>;
}

export function caseTime(virtual: VirtualTime | undefined): CaseTime {
  return virtual === undefined ? realTime : new TurnedTime(virtual);
}

/** @throws {@link AssertionError} when `work` takes longer. Its timer keeps the process alive, since that of nothing under test does. */
async function within<T>(what: () => string, work: Promise<T>, limitMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AssertionError(`${what()} did not end within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const realTime: CaseTime = {
  clock: systemClock,
  settle: () => pause(0),
  passUntil: (at) => pause(Math.max(0, at - systemClock.now())),
  drive: within,
};

/** On the clock: nobody who keeps the contract lets a caller wait so long without an answer. */
const LONGEST_SILENCE_MS = 180_000;
const LONGEST_STEP_MS = 1_000;

/**
 * Time that the harness turns. Nobody but `drive` turns it: to where the next waiting part of the case wants it, or, while the case awaits
 * something else, on and on in growing steps.
 */
class TurnedTime implements CaseTime {
  readonly clock: Clock;
  readonly #virtual: VirtualTime;
  #settling: (() => void)[] = [];
  #passing: { readonly at: number; readonly release: () => void }[] = [];

  constructor(virtual: VirtualTime) {
    this.clock = virtual;
    this.#virtual = virtual;
  }

  settle(): Promise<void> {
    return new Promise((release) => this.#settling.push(release));
  }

  passUntil(at: number): Promise<void> {
    return new Promise((release) => this.#passing.push({ at, release }));
  }

  async drive<T>(what: () => string, work: Promise<T>, limitMs: number): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    const turning = this.#turn(what, () => over);
    try {
      return await within(what, Promise.race([work, turning.then(() => work)]), limitMs);
    } finally {
      over = true;
      await turning.catch(() => {});
    }
  }

  async #turn(what: () => string, isOver: () => boolean): Promise<void> {
    let silentSince = this.#virtual.now();
    for (;;) {
      await this.#virtual.settle();
      if (isOver()) return;
      if (this.#settling.length > 0) {
        const releases = this.#settling;
        this.#settling = [];
        for (const release of releases) release();
        silentSince = this.#virtual.now();
        continue;
      }
      const now = this.#virtual.now();
      const silentMs = now - silentSince;
      if (silentMs > LONGEST_SILENCE_MS)
        throw new AssertionError(
          `${what()} waits for something that never comes (${silentMs} ms on the virtual clock)`,
        );
      const next = this.#passing.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY);
      const step =
        next === Number.POSITIVE_INFINITY ? Math.min(LONGEST_STEP_MS, Math.max(1, silentMs / 4)) : next - now;
      await this.#virtual.advance(Math.max(0, step));
      this.#release();
      if (next !== Number.POSITIVE_INFINITY) silentSince = this.#virtual.now();
    }
  }

  #release(): void {
    const now = this.#virtual.now();
    const due = this.#passing.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    this.#passing = this.#passing.filter(({ at }) => at > now);
    for (const { release } of due) release();
  }
}
