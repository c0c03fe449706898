import { Child } from "../../faults/child.ts";
import type { StorePlace } from "./apps.ts";

export interface WorkerSettings extends StorePlace {
  /** What it puts into results. */
  readonly by: string;
}

export type Told =
  | { readonly note: "ready" | "stopped" }
  /** Of one attempt: before its handler does anything, after each note, and when the handler is done. */
  | { readonly note: "started" | "emitted" | "handled"; readonly n: number; readonly attempt: number }
  /** As `app.lifecycle` has it. */
  | { readonly note: "completed"; readonly id: string };

/** A worker in a process of its own. */
export class Worker extends Child<Told> {
  constructor(settings: WorkerSettings) {
    super(new URL("./worker.ts", import.meta.url), settings);
  }

  async ready(): Promise<this> {
    await this.until(({ note }) => note === "ready");
    return this;
  }

  /** Stops it where it is: its connections stay open, and it does nothing. */
  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  unfreeze(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** In an orderly way: resolves when nothing of what it had begun is open any more. */
  async stop(): Promise<void> {
    process.kill(this.pid, "SIGTERM");
    await this.until(({ note }) => note === "stopped");
    await this.ended;
  }

  /** In the order they were told. */
  attempts(note: "started" | "emitted" | "handled"): readonly { readonly n: number; readonly attempt: number }[] {
    return this.told.flatMap((told) => (told.note === note ? [told] : []));
  }
}
