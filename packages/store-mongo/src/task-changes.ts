import type { Change } from "@intermodal/core/adapter";
import { isIntermodalError, isTerminal } from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { TASKS, type TaskDocument } from "./task-document.ts";
import { decodeText } from "./text.ts";

/** Looked at again, since a write shows some time after the moment that it gives itself. */
const OVERLAP_MS = 3_000;
const MAX_TOLD = 1_000;
const LONGEST_PAUSE_MS = 5_000;

/** Tells which tasks have ended: at once those that ended in this process, and by looking now and then, while somebody listens, those of others. */
export class TaskChanges {
  readonly #session: Session;
  readonly #listeners = new Set<(ids: readonly string[]) => void>();
  /** Told of lately, with the time at which they ended. */
  #told = new Map<string, number>();
  /** By the server's clock. */
  #since: number | undefined;
  #cancelLook: (() => void) | undefined;
  #looking = false;
  #pauseMs: number;

  constructor(session: Session) {
    this.#session = session;
    this.#pauseMs = session.settings.changesPollMs;
    session.onClose(() => {
      this.#listeners.clear();
      this.#cancelLook?.();
    });
  }

  /** @returns stops it. */
  listen(listener: (ids: readonly string[]) => void): () => void {
    if (this.#session.isClosed) return () => {};
    // A function listened with twice is two listeners.
    const own = (ids: readonly string[]) => listener(ids);
    this.#listeners.add(own);
    this.#lookLater(0);
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      this.#cancelLook?.();
      this.#cancelLook = undefined;
      this.#since = undefined;
      this.#told.clear();
    };
  }

  /** These were written by this process. */
  written(changes: readonly Change[]): void {
    if (this.#listeners.size === 0) return;
    const ended = changes.filter(
      ({ after, before }) => isTerminal(after.status) && before.record?.status !== after.status,
    );
    if (ended.length === 0) return;
    this.#tell(ended.map(({ after }) => [after.id, after.finishedAt ?? 0]));
  }

  #tell(ended: readonly (readonly [id: string, at: number])[]): void {
    const fresh = ended.filter(([id, at]) => this.#told.get(id) !== at);
    for (const [id, at] of fresh) this.#told.set(id, at);
    if (fresh.length === 0) return;
    const ids = fresh.map(([id]) => id);
    queueMicrotask(() => {
      for (const listener of [...this.#listeners]) listener(ids);
    });
  }

  #lookLater(delayMs: number): void {
    if (this.#cancelLook !== undefined || this.#looking) return;
    this.#cancelLook = this.#session.clock.schedule(delayMs, () => {
      this.#cancelLook = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      await this.#ask();
      this.#pauseMs = this.#session.settings.changesPollMs;
    } catch (error) {
      // Hints may be lost: whoever waits looks now and then anyway, and hears there what is wrong.
      if (!isIntermodalError(error)) throw error;
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
    }
    this.#looking = false;
    if (this.#listeners.size > 0) this.#lookLater(this.#pauseMs);
  }

  async #ask(): Promise<void> {
    const now = await this.#session.serverNow("changes");
    const since = this.#since ?? now;
    const filter = { finished_at: { $gte: new Date(since - OVERLAP_MS) } };
    const options = { projection: { finished_at: 1 }, sort: { finished_at: -1 }, limit: MAX_TOLD } as const;
    const found = await this.#session.call<TaskDocument, TaskDocument[]>("changes", TASKS, (tasks) =>
      tasks.find(filter, options).toArray(),
    );
    if (this.#listeners.size === 0) return;
    this.#since = now;
    this.#tell(found.map(({ _id, finished_at }) => [decodeText(_id), Number(finished_at)]));
    for (const [id, at] of this.#told) if (at < now - 2 * OVERLAP_MS) this.#told.delete(id);
  }
}
