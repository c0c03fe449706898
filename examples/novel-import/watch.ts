import type { App, RunEntry } from "@intermodal/core";
import { z } from "zod";
import { nameOf } from "./book.ts";
import { generateScene, generateSummary } from "./contracts.ts";
import type { Display, Tally } from "./display.ts";

/** So many retries are told one by one, and so many failures; the others are only counted. */
const MOST_LINES = 12;

const taskEvent = z.object({
  type: z.enum([generateSummary.name, generateScene.name]),
  attempt: z.number().optional(),
  max_attempts: z.number().optional(),
  delay_ms: z.number().optional(),
  status: z.string().optional(),
  error: z.string().nullish(),
});
type TaskEvent = z.infer<typeof taskEvent>;

/** Follows the run's stream, which tells what its tasks do wherever they run, and shows it. */
export class RunWatch {
  readonly #app: App;
  readonly #display: Display;
  #tally = { summaries: 0, scenes: 0, retries: 0, failed: 0 };
  readonly #told = { retries: 0, failures: 0 };

  constructor(app: App, display: Display) {
    this.#app = app;
    this.#display = display;
  }

  get tally(): Tally {
    return this.#tally;
  }

  /** Ends with the run. */
  async follow(entries: AsyncIterable<RunEntry>): Promise<void> {
    for await (const entry of entries) {
      if ("gap" in entry) continue;
      const { success, data } = taskEvent.safeParse(entry.data);
      if (success) await this.#note(entry.name, entry.source, data);
    }
  }

  async #note(name: string, taskId: string, event: TaskEvent): Promise<void> {
    switch (name) {
      case "task.completed":
        this.#count(event);
        break;
      case "task.failed":
        this.#count(event);
        this.#tally.failed++;
        await this.#tell(
          "failures",
          taskId,
          (what) => `gave up ${event.type} ${what} (${event.status}): ${event.error}`,
        );
        break;
      case "task.retrying": {
        this.#tally.retries++;
        const next = `attempt ${(event.attempt ?? 0) + 1} of ${event.max_attempts} in ${((event.delay_ms ?? 0) / 1_000).toFixed(1)} s`;
        await this.#tell("retries", taskId, (what) => `retrying ${event.type} ${what} (${next}): ${event.error}`);
        break;
      }
      default:
        return;
    }
    this.#display.update(this.#tally);
  }

  #count({ type }: TaskEvent): void {
    this.#tally[type === generateSummary.name ? "summaries" : "scenes"]++;
  }

  async #tell(kind: "retries" | "failures", taskId: string, line: (what: string) => string): Promise<void> {
    const told = ++this.#told[kind];
    if (told === MOST_LINES + 1) this.#display.line(`further ${kind} are only counted`);
    if (told > MOST_LINES) return;
    const task = await this.#app.task(generateSummary, taskId).status();
    const { success, data } = generateSummary.input.safeParse(task.parameters);
    this.#display.line(line(success ? `"${data.title === "" ? nameOf(data) : data.title}"` : taskId));
  }
}
