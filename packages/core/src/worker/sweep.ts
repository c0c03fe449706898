import type { Runtime } from "../app/runtime.ts";
import { isIntermodalError, messageOf } from "../errors.ts";
import { isTerminal, type TaskRecord, type TerminalStatus } from "../lifecycle/record.ts";
import type { RecoveryReason } from "../ports/task-state-store.ts";
import { isIncurable, sendDeferred } from "../workflow/send-record.ts";
import { buryUnmade, cancelUnheld, conclude, endUnsendable, performDuties } from "./duties.ts";
import type { LeaseKeeper } from "./leases.ts";

const PAGE = 100;

/** Pages of one sweep: what is left comes with the next, so that a backlog does not keep one worker busy for ever. */
const MAX_PAGES = 20;

/** Looks, in one worker at a time, for what a crash has left behind, and mends it. */
export class Sweep {
  readonly #runtime: Runtime;
  readonly #leases: LeaseKeeper;
  readonly #stopping = new AbortController();
  #cancelNext: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Where the latest sweep left off: records that can't be mended now must not keep those behind them from ever being reached. */
  #cursor: string | undefined;
  /** The latest sweep found duties that this process could not do. */
  #leftDuties = false;
  /** The store could not be reached when it was last asked. */
  #wasAway = false;
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime, leases: LeaseKeeper) {
    this.#runtime = runtime;
    this.#leases = leases;
  }

  start(): void {
    this.#running = this.#sendStranded().then(() => this.#schedule());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelNext?.();
    await this.#running;
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** What an earlier process sent over a bus that is gone with it: the store takes it for waiting in a queue, and would for ever. */
  async #sendStranded(): Promise<void> {
    const { store, ports, surroundings } = this.#runtime;
    if (!ports.commandBus.capabilities.processLocal || store.port.capabilities.processLocal) return;
    const { signal } = this.#stopping;
    let cursor: string | undefined;
    try {
      do {
        const query = { status: "QUEUED", limit: PAGE, cursor } as const;
        const page = await store.persist(() => store.port.list(query), { signal });
        const stranded = page.items.filter(({ sentAt }) => sentAt !== undefined);
        await Promise.all(stranded.map((record) => sendAgain(this.#runtime, record)));
        cursor = page.next;
      } while (cursor !== undefined && !this.#isStopped);
    } catch (error) {
      if (this.#isStopped) return;
      surroundings.logger.warn("what an earlier process had sent could not all be sent again; the next start does it", {
        error: messageOf(error),
      });
    }
  }

  #schedule(): void {
    if (this.#isStopped) return;
    const { clock, settings } = this.#runtime.surroundings;
    // Spread, so that the workers of a deployment do not ask all at once.
    const wait = settings.sweepIntervalMs * (0.75 + Math.random() * 0.5);
    this.#cancelNext = clock.schedule(wait, () => {
      this.#running = this.#sweep().then(() => this.#schedule());
    });
  }

  async #sweep(): Promise<void> {
    const { node, settings, logger } = this.#runtime.surroundings;
    try {
      // While the store was away this process's own leases ran out: it must not take them for those of a dead one.
      if (!(await this.#leases.renewDue())) {
        this.#wasAway = true;
        return;
      }
      if (await this.#isTooSoon()) return;
      // What this process can't reach, another may: it must be able to take the next sweep.
      const leaseMs = settings.sweepIntervalMs * (this.#leftDuties ? 0.5 : 2);
      this.#leftDuties = false;
      for (let pages = 0; pages < MAX_PAGES && !this.#isStopped; pages++) {
        const options = {
          node,
          leaseMs,
          graceMs: settings.sweepGraceMs,
          limit: PAGE,
          cursor: this.#cursor,
        };
        const page = await this.#runtime.store.port.recover(options);
        if (page === undefined) return;
        // Together, so that one that waits for a server in vain holds up no other.
        await Promise.all(page.items.map(({ record, reason }) => this.#mend(record, reason)));
        this.#cursor = page.next;
        if (this.#cursor === undefined) return;
      }
    } catch (error) {
      this.#cursor = undefined;
      this.#wasAway ||= isIntermodalError(error, "UNAVAILABLE");
      logger.warn("the recovery sweep was broken off; the next one goes on", { error: messageOf(error) });
    }
  }

  /** The leases of others ran out too while the store was away: they get one lease's time to renew them, each as it finds it back. */
  async #isTooSoon(): Promise<boolean> {
    const { clock, node, settings } = this.#runtime.surroundings;
    if (this.#wasAway) {
      // Nothing is asked but whether it is back: the recovery itself takes leases for lost.
      await this.#runtime.store.port.get([node]);
      this.#wasAway = false;
      this.#restsUntil = clock.now() + settings.taskLeaseMs;
    }
    const now = clock.now();
    // Not longer, should the clock have been set back meanwhile.
    this.#restsUntil = Math.min(this.#restsUntil, now + settings.taskLeaseMs);
    return now < this.#restsUntil;
  }

  async #mend(record: TaskRecord, reason: RecoveryReason): Promise<void> {
    this.#runtime.surroundings.logger.info("the recovery sweep mends a task", { task: record.id, reason });
    try {
      if ((await MEND[reason](this.#runtime, record)) === false) this.#leftDuties = true;
    } catch (error) {
      this.#runtime.surroundings.logger.warn("the recovery sweep could not mend a task; it tries again", {
        task: record.id,
        reason,
        error: messageOf(error),
      });
    }
  }
}

/** Those of duties say whether all were done. */
const MEND: Record<RecoveryReason, (runtime: Runtime, record: TaskRecord) => Promise<unknown>> = {
  unsent: sendAgain,
  "expired-lease": sendAgain,
  overdue: sendAgain,
  duties: performDuties,
  cancel: cancelUnheld,
  children: reconcileChildren,
};

/** What no message can carry is ended: it would be tried for ever. */
async function sendAgain(runtime: Runtime, record: TaskRecord): Promise<void> {
  try {
    await sendDeferred(runtime, record);
  } catch (error) {
    if (!isIncurable(error)) throw error;
    await endUnsendable(runtime, record, error);
  }
}

/** A parent waits, and has heard nothing for long: tells it of sub-tasks that have ended, finishes reopening those that should run, and buries those never made. */
async function reconcileChildren(runtime: Runtime, parent: TaskRecord): Promise<void> {
  for (const [key, known] of Object.entries(parent.children)) {
    if (isTerminal(known.status)) continue;
    const child = (await runtime.store.get(known.id)) ?? (await buryUnmade(runtime, parent, key, known.id));
    if (!isTerminal(child.status)) continue;
    if (child.series < known.series) {
      const { id, series } = child;
      const reopened = await runtime.store.port.reopen({
        id,
        series,
        parentSeries: parent.series,
        streamId: parent.streamId,
      });
      if (reopened !== undefined) await sendDeferred(runtime, reopened);
      continue;
    }
    const status = child.status as TerminalStatus;
    const told = await runtime.store.childEnded({
      parentId: parent.id,
      key,
      childId: child.id,
      status,
      series: child.series,
    });
    if (told !== undefined && isTerminal(told.status)) await conclude(runtime, told);
  }
}
