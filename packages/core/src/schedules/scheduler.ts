import type { Runtime } from "../app/runtime.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import { sleep } from "../ports/clock.ts";
import type { DueSchedules, ScheduleRecord, ScheduleStore } from "../ports/schedule-store.ts";
import type { DeclaredSchedule } from "./definition.ts";
import { fire } from "./fire.ts";
import { register } from "./register.ts";
import { Sends } from "./sends.ts";

const PAGE = 100;

/** So many pages on which nothing could be dealt with, one after the other: the stores are away, and not only for some. */
const PAGES_IN_VAIN = 3;

/** Workers wake up for the same due time: so far apart that the first of them has mostly dealt with it when the next one looks. */
const SPREAD_MS = 250;

/** Fires what is due, in every worker alike. A store that is away costs nothing but lateness. */
export class Scheduler {
  readonly #runtime: Runtime;
  readonly #store: ScheduleStore;
  readonly #sends: Sends;
  readonly #stopping = new AbortController();
  #cancelNext: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  /** Something has changed since the latest look began. */
  #isStale = false;
  #isAway = false;

  constructor(runtime: Runtime, store: ScheduleStore) {
    this.#runtime = runtime;
    this.#store = store;
    this.#sends = new Sends(runtime);
  }

  /**
   * Registers what was declared, and begins to fire. While the store cannot be reached, it keeps trying.
   * @throws what trying again cannot cure.
   */
  async start(declared: readonly DeclaredSchedule[]): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const registering = () => register(this.#store, declared, this.#runtime.surroundings.logger);
      if (declared.length > 0) await this.#runtime.store.persist(registering, { signal, begins: true });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    this.wake();
  }

  /** Looks now. */
  wake(): void {
    this.#isStale = true;
    if (this.#looking === undefined) this.#look();
  }

  /** Begins nothing new. Resolves when what it has begun is done, or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    this.#cancelNext?.();
    const patience = new AbortController();
    await Promise.race([this.#atRest(), sleep(this.#runtime.surroundings.clock, timeoutMs, patience.signal)]);
    patience.abort();
  }

  async #atRest(): Promise<void> {
    await this.#looking;
    await this.#sends.settled();
  }

  #look(): void {
    if (this.#stopping.signal.aborted) return;
    this.#cancelNext?.();
    this.#isStale = false;
    this.#looking = this.#fireDue().then((waitMs) => {
      this.#looking = undefined;
      if (this.#isStale) this.#look();
      else this.#lookIn(waitMs);
    });
  }

  #lookIn(waitMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#cancelNext = this.#runtime.surroundings.clock.schedule(waitMs, () => this.#look());
  }

  /** @returns how long to wait. Never rejects. */
  async #fireDue(): Promise<number> {
    const { clock, settings } = this.#runtime.surroundings;
    // Spread, so that the workers of a deployment do not ask all at once.
    const pollMs = settings.schedulePollMs * (0.75 + Math.random() * 0.5);
    let cursor: string | undefined;
    let waitMs = pollMs;
    let inVain = 0;
    let away: unknown;
    try {
      // To the end, whatever their number: those that cannot be fired stand first, and must not keep a look from the others.
      do {
        const asked = clock.now();
        const page = await this.#store.due({ limit: PAGE, cursor });
        const { times, failure } = await this.#fireAll(page);
        away ??= failure;
        inVain = failure !== undefined && times.length === 0 ? inVain + 1 : 0;
        const next = Math.min(page.nextAt ?? Number.POSITIVE_INFINITY, ...times);
        waitMs = next - page.now - (clock.now() - asked) + Math.random() * SPREAD_MS;
        cursor = page.next;
      } while (cursor !== undefined && inVain < PAGES_IN_VAIN && !this.#stopping.signal.aborted);
    } catch (error) {
      away = error;
      waitMs = pollMs;
    }
    if (away === undefined) this.#noteBack();
    else this.#noteAway(away);
    return Math.max(0, Math.min(pollMs, waitMs));
  }

  /** @returns when each is due next that could be dealt with, and why others could not: a store is away for them. */
  async #fireAll({ items, now }: DueSchedules) {
    const fired = await Promise.allSettled(items.map((schedule) => this.#fire(schedule, now)));
    const times = fired.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const failure: unknown = fired.find((result) => result.status === "rejected")?.reason;
    return { times, failure };
  }

  /** @returns when it is due next. One that fails holds up no other, and is looked at again with the next poll. */
  async #fire(schedule: ScheduleRecord, now: number): Promise<number> {
    try {
      const parts = { runtime: this.#runtime, store: this.#store, sends: this.#sends };
      return (await fire(parts, schedule, now)) ?? Number.POSITIVE_INFINITY;
    } catch (error) {
      if (isIntermodalError(error, "UNAVAILABLE") || isIntermodalError(error, "CLOSED")) throw error;
      this.#runtime.surroundings.logger.error("a schedule could not be fired; it is tried again", {
        schedule: schedule.name,
        error: messageOf(error),
      });
      return Number.POSITIVE_INFINITY;
    }
  }

  /** Told once per change, not once per look. */
  #noteAway(error: unknown): void {
    if (this.#isAway || this.#stopping.signal.aborted) return;
    this.#isAway = true;
    this.#runtime.surroundings.logger.warn("schedules cannot be looked at; they are fired late", {
      error: messageOf(error),
    });
  }

  #noteBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#runtime.surroundings.logger.info("schedules can be looked at again");
  }
}
