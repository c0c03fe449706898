import { TimedHeap } from "../memory/timed-heap.ts";
import type { Clock } from "../ports/clock.ts";

const START = Date.UTC(2026, 0, 1);

/** Turns of the event loop without any sign of life after which everything is taken to be at rest. */
const QUIET_TURNS = 3;

/** Far more turns than anything needs that comes to rest at all. */
const MAX_TURNS = 1_000_000;

/**
 * A clock whose time passes only when told to. Starts at 2026-01-01T00:00:00Z.
 *
 * Everything *settles* when promises and `setImmediate` callbacks have run out and timers of this clock that are due have run. Real I/O, real timers and work in
 * other threads are not waited for.
 */
export class VirtualClock implements Clock {
  /** Time that has passed, from the start on. */
  #now = START;
  #behindMs = 0;
  readonly #timers = new TimedHeap<() => void>();
  /** Counts timers made and cancelled: a sign of life. */
  #changes = 0;
  #advancing: Promise<void> = Promise.resolve();

  now(): number {
    return this.#now - this.#behindMs;
  }

  schedule(delayMs: number, run: () => void): () => void {
    // A comparison with NaN is false, so NaN counts as 0.
    const timer = this.#timers.add(this.#now + (delayMs > 0 ? delayMs : 0), run);
    this.#changes++;
    return () => {
      if (timer.index >= 0) this.#changes++;
      this.#timers.remove(timer);
    };
  }

  /** When the next timer falls due, in milliseconds since the epoch; `undefined` when there is none. */
  nextTimerAt(): number | undefined {
    const { nextAt } = this.#timers;
    return nextAt === undefined ? undefined : nextAt - this.#behindMs;
  }

  /** Sets what it shows back by `ms`, as NTP or a resumed machine may: timers take no longer for that. */
  setBack(ms: number): void {
    this.#behindMs += ms;
  }

  /**
   * Passes `ms`: runs what falls due in the order of time, and lets everything settle after each. Calls that overlap pass their times one
   * after the other.
   * @throws whatever a timer threw.
   */
  advance(ms: number): Promise<void> {
    const advanced = this.#advancing.then(() => this.#advance(ms));
    this.#advancing = advanced.catch(() => {});
    return advanced;
  }

  async #advance(ms: number): Promise<void> {
    await this.settle();
    const end = this.#now + ms;
    for (let next = this.#timers.nextAt; next !== undefined && next <= end; next = this.#timers.nextAt) {
      this.#now = Math.max(this.#now, next);
      await this.settle();
    }
    this.#now = Math.max(this.#now, end);
  }

  /**
   * Lets everything settle that needs no time.
   * @throws whatever a timer threw; an error when things never come to rest.
   */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns > MAX_TURNS) throw new Error("VirtualClock: something keeps itself busy without letting time pass");
      const before = this.#changes;
      const othersWait = await turnOfTheEventLoop();
      quiet = othersWait || this.#changes !== before ? 0 : quiet + 1;
      if (quiet < QUIET_TURNS) continue;
      const due = this.#timers.takeDue(this.#now);
      if (due === undefined) return;
      quiet = 0;
      due();
    }
  }
}

/** Turns that are being waited for here: no sign of life. */
let ownTurns = 0;

/** Resolves in the next turn to whether `setImmediate` callbacks of others are waiting. */
function turnOfTheEventLoop(): Promise<boolean> {
  ownTurns++;
  return new Promise((resolve) => {
    setImmediate(() => {
      ownTurns--;
      let waiting = 0;
      for (const resource of process.getActiveResourcesInfo()) if (resource === "Immediate") waiting++;
      resolve(waiting > ownTurns);
    });
  });
}

/**
 * One process's view of a clock, to simulate a process whose event loop is blocked (`freeze`) or that is dead (`stop`). Time itself goes on.
 */
export class ProcessClock implements Clock {
  readonly #clock: Clock;
  #state: "running" | "frozen" | "stopped" = "running";
  /** What fell due while frozen, in that order. */
  readonly #held = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  schedule(delayMs: number, run: () => void): () => void {
    const fire = () => {
      if (this.#state === "running") run();
      else if (this.#state === "frozen") this.#held.add(fire);
    };
    const cancel = this.#clock.schedule(delayMs, fire);
    return () => {
      cancel();
      this.#held.delete(fire);
    };
  }

  /** Timers that fall due from now on fire after `thaw` only. */
  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  /** What fell due meanwhile fires at once, though not synchronously. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    this.#clock.schedule(0, () => {
      for (const fire of this.#held) {
        this.#held.delete(fire);
        fire();
        // One of them may have frozen it again: the rest goes on waiting.
        if (this.#state !== "running") return;
      }
    });
  }

  /** No timer fires ever again. */
  stop(): void {
    this.#state = "stopped";
    this.#held.clear();
  }
}
