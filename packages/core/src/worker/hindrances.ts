import type { Duty } from "../lifecycle/record.ts";
import type { Clock } from "../ports/clock.ts";

/** Owed to other servers than the one that has just recorded a task's end: they may be away while tasks go on. */
const OWED_ELSEWHERE: ReadonlySet<Duty> = new Set<Duty>(["end-stream", "announce"]);
/** How long after a try in vain nobody tries again. */
const PAUSE_MS = 1_000;
/** A server that has answered is away when so many tries in a row were in vain: fewer may all have met the same part of it … */
const TRIES_IN_VAIN = 20;
/** … or when they have taken so long together. */
const TIME_IN_VAIN_MS = 2_500;
/** An outage is over when tries succeed and for so long none was in vain. */
const CALM_MS = 10_000;

/** What is known of the server of a duty since it was first away. */
interface Hindrance {
  /** Tries in vain since the latest that was answered. */
  inVain: number;
  /** How long they have taken together. */
  spentMs: number;
  failedAt: number;
  /** Somebody tries it, away as a whole as it is. */
  isTried: boolean;
}

/**
 * Duties whose server is away, or a part of it: a shard, say. An outage is told once, and slows down no task after the first ones: each call may take until its
 * time-out. An outage of a part hinders nobody whom the others answer.
 */
export class Hindrances {
  readonly #clock: Clock;
  readonly #hindrances = new Map<Duty, Hindrance>();
  /** Of those whose server has answered before: one failure is no outage of it all. */
  readonly #answeredAt = new Map<Duty, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a try of late was in vain: the next ones are not to be patient. */
  has(duty: Duty): boolean {
    return this.#hindrances.has(duty);
  }

  /**
   * Whether to try it now. While its server is away as a whole one does at a time, whose `add` or `delete` the others wait for; what they leave is the
   * sweep's.
   */
  mayTry(duty: Duty): boolean {
    const now = this.#clock.now();
    const hindrance = this.#known(duty, now);
    if (hindrance === undefined || !OWED_ELSEWHERE.has(duty) || !this.#isAway(duty, hindrance)) return true;
    if (hindrance.isTried || now < hindrance.failedAt + PAUSE_MS) return false;
    hindrance.isTried = true;
    return true;
  }

  /** Its server was away for a try that began then. @returns whether that is new. */
  add(duty: Duty, begunAt = this.#clock.now()): boolean {
    const now = this.#clock.now();
    const known = this.#known(duty, now);
    let { inVain, spentMs } = known ?? { inVain: 0, spentMs: 0 };
    // Where others were answered meanwhile, it is not away as a whole.
    if ((this.#answeredAt.get(duty) ?? 0) <= begunAt) {
      inVain++;
      spentMs += Math.max(0, now - begunAt);
    }
    this.#hindrances.set(duty, { inVain, spentMs, failedAt: now, isTried: false });
    return known === undefined;
  }

  /** Its server has answered. */
  delete(duty: Duty): void {
    const now = this.#clock.now();
    this.#answeredAt.set(duty, now);
    const hindrance = this.#known(duty, now);
    if (hindrance === undefined) return;
    if (now - hindrance.failedAt >= CALM_MS) this.#hindrances.delete(duty);
    hindrance.inVain = 0;
    hindrance.spentMs = 0;
  }

  /** Nothing of it was later than now: else the clock has been set back since. */
  #known(duty: Duty, now: number): Hindrance | undefined {
    const answeredAt = this.#answeredAt.get(duty);
    if (answeredAt !== undefined && answeredAt > now) this.#answeredAt.set(duty, now);
    const hindrance = this.#hindrances.get(duty);
    if (hindrance !== undefined) hindrance.failedAt = Math.min(hindrance.failedAt, now);
    return hindrance;
  }

  #isAway(duty: Duty, { inVain, spentMs }: Hindrance): boolean {
    return inVain >= (this.#answeredAt.has(duty) ? TRIES_IN_VAIN : 1) || spentMs >= TIME_IN_VAIN_MS;
  }
}
