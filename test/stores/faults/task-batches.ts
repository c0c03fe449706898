import { setTimeout as sleep } from "node:timers/promises";
import type { App, Logger } from "@intermodal/core";
import { expect } from "vitest";
import { numbers } from "../../faults/contracts.ts";
import { work } from "./contracts.ts";

/** What a handler does beside emitting. */
const WORK_MS = 10;
const ENDED_MS = 120_000;

/** A logger that keeps what an operator sees. */
export class Lines implements Logger {
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  debug = () => {};
  info = (message: string) => void this.infos.push(message);
  warn = (message: string) => void this.warnings.push(message);
  error = this.warn;

  /** How often the writer of run streams has said that all is well again. */
  get returns(): number {
    return this.infos.filter((line) => /stored again/.test(line)).length;
  }
}

export interface BatchSize {
  readonly tasks: number;
  /** That each handler emits. */
  readonly notes: number;
  /** Between one submission and the next, however long the tasks take. @default 0: all at once */
  readonly everyMs?: number | undefined;
}

/** What became of one batch of tasks. */
export interface Batch {
  readonly ids: readonly string[];
  /** How long each handler took, by its own watch. */
  readonly handlerMs: readonly number[];
  readonly seconds: number;
}

/** Runs tasks one batch after the other, in this process, by handlers that emit and time themselves. */
export class TaskBatches {
  readonly #app: App;
  #tookMs: number[] = [];
  #batches = 0;

  /** Registers the handler: before the app is started. */
  constructor(app: App) {
    this.#app = app;
    app.handle(work, async ({ n, notes, waitMs }, ctx) => {
      const begun = performance.now();
      for (let note = 1; note <= notes; note++) ctx.emit("note", { note, text: "what a model says next" });
      await sleep(waitMs);
      this.#tookMs.push(performance.now() - begun);
      return { n, by: "batches", attempt: ctx.attempt };
    });
  }

  /** Resolves when all have completed. */
  async run({ tasks, notes, everyMs = 0 }: BatchSize): Promise<Batch> {
    const batch = ++this.#batches;
    const ids = numbers(tasks).map((n) => `batch-${batch}-${n}`);
    const begun = performance.now();
    this.#tookMs = [];
    await Promise.all(
      ids.map(async (id, n) => {
        if (everyMs > 0) await sleep(n * everyMs);
        const task = await this.#app.submit(work, { n, notes, waitMs: WORK_MS }, { id });
        await task.result({ timeoutMs: ENDED_MS });
      }),
    );
    expect(this.#tookMs).toHaveLength(tasks);
    return { ids, handlerMs: this.#tookMs, seconds: (performance.now() - begun) / 1_000 };
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
