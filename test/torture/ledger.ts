import { closeSync, openSync, readSync, writeSync } from "node:fs";

/**
 * What a process notes of one message.
 * - `handled`: by a consumer, before its handler returns; `failed`: before it throws.
 * - `acknowledged`: by the producer, when the broker holds it; `refused`, `unknown`: when a sending failed, before the next.
 */
export type Note = "handled" | "failed" | "acknowledged" | "refused" | "unknown";

export interface Entry {
  readonly note: Note;
  readonly index: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A file that one process adds to. Every line is with the kernel when `write` returns, so that kill -9 loses none. */
export class LedgerWriter {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(note: Note, index: number): void {
    writeSync(this.#file, `${note} ${index} ${Date.now()}\n`);
  }
}

/** Reads what is added to such a file. */
export class LedgerReader {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(256 * 1_024);
  #rest = "";

  /** Makes the file, since its writer may not have begun. */
  constructor(path: string) {
    this.#file = openSync(path, "a+");
  }

  /** What has come since the last time. */
  read(): Entry[] {
    const entries: Entry[] = [];
    for (;;) {
      const length = readSync(this.#file, this.#buffer);
      if (length === 0) return entries;
      const lines = (this.#rest + this.#buffer.toString("latin1", 0, length)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) entries.push(entryOf(line));
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

function entryOf(line: string): Entry {
  const [note, index, at] = line.split(" ");
  return { note: note as Note, index: Number(index), at: Number(at) };
}
