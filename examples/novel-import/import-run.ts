import { type App, createApp, type Logger } from "@intermodal/core";
import type { Book } from "./book.ts";
import { importNovel } from "./contracts.ts";
import type { Display, Tally } from "./display.ts";
import { registerHandlers, type Tools } from "./handlers.ts";
import { LISTENERS, registerListeners } from "./listeners.ts";
import type { Options } from "./options.ts";
import { RunWatch } from "./watch.ts";

/** How many tasks of each queue a worker runs at once. */
const CONCURRENCY = { summaries: 4, scenes: 4, library: 2 };
/** How long the listeners may take after the import. */
const LISTENERS_MS = 10_000;
/** How long running calls may take to end when the import is interrupted. */
const DRAIN_MS = 2_000;
/** Several apps in one process share a memory server by its name. */
const DEFAULT_URL = "memory:novel";

export interface ImportOutcome {
  readonly status: string;
  readonly chapters: number;
  readonly retries: number;
  readonly failed: number;
  readonly incomplete: readonly string[];
}

/** One import, from the workers' start to their stop. */
export class ImportRun {
  readonly #options: Options;
  readonly #display: Display;
  readonly #apps: readonly App[];
  readonly #watch: RunWatch;
  readonly #heard = new Set<string>();
  readonly #allHeard = Promise.withResolvers<void>();
  #importId: string | undefined;
  #isStopping = false;

  constructor(options: Options, tools: Tools, display: Display) {
    this.#options = options;
    this.#display = display;
    this.#apps = Array.from({ length: options.workers }, () => this.#createWorker(tools));
    this.#watch = new RunWatch(this.#sender, display);
  }

  /** What has been done so far. */
  get tally(): Tally {
    return this.#watch.tally;
  }

  /** @throws what starting and submitting throw, and a `TaskFailedError` when the import fails as a whole. */
  async run(): Promise<ImportOutcome> {
    await Promise.all(this.#apps.map((app) => app.start()));
    const { source, file } = this.#options;
    const task = await this.#sender.submit(importNovel, { source, file });
    this.#importId = task.id;
    const following = this.#watch.follow(task.stream()).catch((error: unknown) => this.#lostSight(error));
    const result = await task.result();
    const { status } = await task.status();
    // The stream ends with the run; what it tells last should stand above the summary.
    await following;
    await this.#waitForListeners();
    return { status, ...result };
  }

  /** Lets running calls end. @returns how many tasks were still running. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    const stopped = await Promise.all(this.#apps.map((app) => app.stop({ timeoutMs: DRAIN_MS })));
    return stopped.reduce((sum, { unfinished }) => sum + unfinished.length, 0);
  }

  get #sender(): App {
    return this.#apps[0] as App;
  }

  #createWorker(tools: Tools): App {
    const app = createApp({
      name: "novel",
      url: isConfigured() ? undefined : DEFAULT_URL,
      concurrency: CONCURRENCY,
      // All workers are apps of this process, so the tasks may stay in its memory while the messages go over a broker.
      singleProcess: true,
      logger: this.#logger(),
    });
    registerHandlers(app, tools);
    registerListeners(app, (line, listener, importId) => this.#hear(line, listener, importId));
    return app;
  }

  #hear(line: string, listener: string, importId: string): void {
    this.#display.line(line);
    if (importId !== this.#importId) return;
    this.#heard.add(listener);
    if (this.#heard.size === LISTENERS.length) this.#allHeard.resolve();
  }

  async #waitForListeners(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LISTENERS_MS);
    });
    await Promise.race([this.#allHeard.promise, late]);
    clearTimeout(timer);
    const silent = LISTENERS.filter((listener) => !this.#heard.has(listener));
    if (silent.length > 0) this.#display.line(`not heard here, so handled elsewhere or later: ${silent.join(", ")}`);
  }

  /** The import does not depend on its stream: without it there is only less to see. */
  #lostSight(error: unknown): void {
    if (!this.#isStopping) this.#display.line(`progress can't be shown any more: ${(error as Error).message}`);
  }

  /** Retries and failures are shown already; what else the SDK warns about belongs on the screen too. */
  #logger(): Logger {
    const say = (message: string, fields?: Readonly<Record<string, unknown>>) =>
      this.#display.line(`${message}${fields?.error === undefined ? "" : `: ${String(fields.error)}`}`);
    return { debug() {}, info() {}, warn: say, error: say };
  }
}

/** Somebody has chosen the carriers. */
export function isConfigured(): boolean {
  return ["URL", "COMMANDS", "EVENTS", "STATE", "STREAMS"].some((name) => Boolean(process.env[`INTERMODAL_${name}`]));
}

/** What is left of an import that was interrupted, in words. */
export function whatIsLeft(book: Book, { summaries, scenes }: Tally): string {
  const chapters = book.chapters.length;
  const done = summaries + scenes;
  const left = `${chapters - summaries} summaries and ${chapters - scenes} scenes are left`;
  const where = isConfigured()
    ? "They wait at the broker and in the store: the next start with the same configuration goes on with them."
    : "They were in memory, and are gone with this process.";
  return `Stopped: ${done} of ${2 * chapters} pieces are done; ${left}. ${where}`;
}
