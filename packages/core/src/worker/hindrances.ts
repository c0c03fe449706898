import type { Duty } from "../lifecycle/record.ts";
import type { Clock } from "../ports/clock.ts";

/** Owed to other servers than the one that has just recorded a task's end: they may be away while tasks go on. */
const OWED_ELSEWHERE: ReadonlySet<Duty> = new Set<Duty>(["end-stream", "announce"]);
/** How long after a try in vain nobody tries again. */
const PAUSE_MS = 1_000;

/** Duties whose server is away. An outage is told once, and slows down no task after the first ones: each call may take until its time-out. */
export class Hindrances {
  readonly #clock: Clock;
  readonly #tryAt = new Map<Duty, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(duty: Duty): boolean {
    return this.#tryAt.has(duty);
  }

  /** Whether to try it now. While its server is away one does at a time, whose `add` or `delete` the others wait for; what they leave is the sweep's. */
  mayTry(duty: Duty): boolean {
    const tryAt = this.#tryAt.get(duty);
    if (tryAt === undefined || !OWED_ELSEWHERE.has(duty)) return true;
    if (this.#clock.now() < tryAt) return false;
    this.#tryAt.set(duty, Number.POSITIVE_INFINITY);
    return true;
  }

  /** Its server was away. @returns whether that is new. */
  add(duty: Duty): boolean {
    const isNew = !this.#tryAt.has(duty);
    this.#tryAt.set(duty, this.#clock.now() + PAUSE_MS);
    return isNew;
  }

  /** Its server has answered. */
  delete(duty: Duty): void {
    this.#tryAt.delete(duty);
  }
}
