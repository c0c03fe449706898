import { BatchError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";

const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 4;
/** How long a call waits for a batch that is under way: a server that does not answer must not add its time-outs up. */
const PATIENCE_MS = 50;

/**
 * Gathers single calls into the batches that ports take. A call waits for nothing but the end of the current turn, or for a place when several batches are
 * under way, and no longer than 50 ms, so that a quiet process has no added delay and a busy one long batches.
 */
export class Batcher<Item, Result> {
  readonly #clock: Clock;
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  #waiting: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  #inFlight = 0;
  #scheduled = false;
  #isImpatient = false;
  readonly #flush = () => {
    this.#scheduled = false;
    while (this.#waiting.length > 0 && this.#inFlight < MAX_IN_FLIGHT) void this.#send();
    if (this.#waiting.length === 0 || this.#isImpatient) return;
    this.#isImpatient = true;
    this.#clock.schedule(PATIENCE_MS, this.#flushAll);
  };
  readonly #flushAll = () => {
    this.#isImpatient = false;
    while (this.#waiting.length > 0) void this.#send();
  };

  constructor(clock: Clock, run: (items: readonly Item[]) => Promise<readonly Result[]>) {
    this.#clock = clock;
    this.#run = run;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#scheduled || (this.#isImpatient && this.#inFlight >= MAX_IN_FLIGHT)) return;
      this.#scheduled = true;
      queueMicrotask(this.#flush);
    });
  }

  async #send(): Promise<void> {
    const batch = this.#waiting.length <= MAX_BATCH ? this.#waiting : this.#waiting.splice(0, MAX_BATCH);
    if (batch === this.#waiting) this.#waiting = [];
    this.#inFlight++;
    try {
      const results = await this.#run(batch.map((call) => call.item));
      batch.forEach((call, index) => {
        call.resolve(results[index] as Result);
      });
    } catch (error) {
      batch.forEach((call, index) => {
        if (!(error instanceof BatchError)) call.reject(error);
        else if (error.failures[index] === undefined) call.resolve(error.results[index] as Result);
        else call.reject(error.failures[index]);
      });
    }
    this.#inFlight--;
    this.#flush();
  }
}

/**
 * Gathers notes whose loss is mended elsewhere (the sweep), and writes them within `delayMs` or when many are there. A failed write is dropped and
 * told to `onError`.
 */
export class LazyBatch<Item> {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #run: (items: readonly Item[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #items: Item[] = [];
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    clock: Clock,
    delayMs: number,
    run: (items: readonly Item[]) => Promise<void>,
    onError: (error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#run = run;
    this.#onError = onError;
  }

  readonly #onTime = () => {
    this.#cancel = undefined;
    void this.flush();
  };

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length >= MAX_BATCH) void this.flush();
    else this.#cancel ??= this.#clock.schedule(this.#delayMs, this.#onTime);
  }

  /** Resolves when all that was added so far has been written or dropped. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#items.length > 0) {
      const items = this.#items;
      this.#items = [];
      const write = this.#run(items).catch(this.#onError);
      this.#writing = Promise.all([this.#writing, write]).then(() => undefined);
    }
    return this.#writing;
  }
}
