import { CONTENTION_PATIENCE_MS, pauseForOthers } from "@intermodal/core/adapter";
import { type Clock, IntermodalError, isIntermodalError, messageOf } from "@intermodal/core/ports";
import { unavailable } from "./errors.ts";
import type { Placed, Put } from "./stream-plan.ts";

/** Puts of one stream that are stored together, in their order. */
export interface Work {
  readonly streamId: string;
  readonly puts: readonly Put[];
  /** How often others came first. */
  readonly rounds: number;
}

interface Item {
  readonly put: Put;
  readonly done: (placed: Placed) => void;
  /** How many passes had begun before it came. */
  readonly passes: number;
}

/** A stream with something to store. */
class Waiting {
  readonly streamId: string;
  readonly items: Item[] = [];
  rounds = 0;
  /** Until when it is borne that others come first. */
  patienceEnds = Number.POSITIVE_INFINITY;

  constructor(streamId: string) {
    this.streamId = streamId;
  }

  get puts(): readonly Put[] {
    return this.items.map(({ put }) => put);
  }

  /** Leaves what is too much for one step to another one. */
  split(): Waiting | undefined {
    let events = 0;
    const at = this.items.findIndex(({ put }, index) => {
      events += put.events.length;
      return index > 0 && events > MAX_EVENTS;
    });
    if (at < 0) return undefined;
    const rest = new Waiting(this.streamId);
    rest.items.push(...this.items.splice(at));
    return rest;
  }

  end(placed: readonly Placed[] | IntermodalError): void {
    this.items.forEach(({ done }, at) => {
      done(placed instanceof IntermodalError ? placed : (placed[at] as Placed));
    });
  }
}

/** What one step with each stream comes to, one by one: `undefined` where others came first. */
export type Steps = readonly Promise<readonly Placed[] | undefined>[];

/** Passes under way at once. What comes while they are waits for the next one, with all else that has come. */
const MAX_PASSES = 2;
const MAX_STREAMS = 500;
const MAX_EVENTS = 2_000;
/** Tries without a pause, since each means that somebody else got on. */
const EAGER_ROUNDS = 3;

/**
 * Brings what is appended at the same time to the server together. Nothing is stored for a stream twice at a time, or this process would be in its own way.
 */
export class StreamQueue {
  readonly #clock: Clock;
  readonly #store: (works: readonly Work[]) => Promise<Steps>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #busy = new Set<string>();
  #passes = 0;
  #begun = 0;
  #due = false;

  /** @param store Takes one step with each stream. @throws what holds for all. */
  constructor(clock: Clock, store: (works: readonly Work[]) => Promise<Steps>) {
    this.#clock = clock;
    this.#store = store;
  }

  /** Never rejects. */
  put(streamId: string, put: Put): Promise<Placed> {
    return new Promise((done) => {
      let waiting = this.#waiting.get(streamId);
      if (waiting === undefined) {
        waiting = new Waiting(streamId);
        this.#waiting.set(streamId, waiting);
      }
      waiting.items.push({ put, done, passes: this.#begun });
      this.#pumpSoon();
    });
  }

  /** At the end of this turn, with all that comes in it. */
  #pumpSoon(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#passes < MAX_PASSES) {
      const taken = this.#take();
      if (taken.length === 0) return;
      void this.#pass(taken);
    }
  }

  #take(): readonly Waiting[] {
    const taken: Waiting[] = [];
    let events = 0;
    for (const [streamId, waiting] of this.#waiting) {
      if (taken.length === MAX_STREAMS || events >= MAX_EVENTS) break;
      if (this.#busy.has(streamId)) continue;
      const rest = waiting.split();
      if (rest === undefined) this.#waiting.delete(streamId);
      else this.#waiting.set(streamId, rest);
      this.#busy.add(streamId);
      taken.push(waiting);
      for (const { put } of waiting.items) events += put.events.length;
    }
    return taken;
  }

  async #pass(taken: readonly Waiting[]): Promise<void> {
    this.#passes++;
    const begun = ++this.#begun;
    let steps: Steps;
    try {
      steps = await this.#store(taken);
    } catch (error) {
      const failed = Promise.reject(error);
      steps = taken.map(() => failed);
      this.#failWaiting(begun, failureOf(error));
    }
    this.#passes--;
    taken.forEach((waiting, at) => void this.#end(waiting, steps[at] as Steps[number]));
    this.#pump();
  }

  async #end(waiting: Waiting, step: Steps[number]): Promise<void> {
    let placed: readonly Placed[] | IntermodalError | undefined;
    try {
      placed = await step;
    } catch (error) {
      placed = failureOf(error);
    }
    if (placed === undefined) {
      await this.#again(waiting);
      return;
    }
    this.#answer(waiting, placed);
    this.#pump();
  }

  #answer(waiting: Waiting, placed: readonly Placed[] | IntermodalError): void {
    this.#busy.delete(waiting.streamId);
    waiting.end(placed);
    // What failed may be repeated, and must not come after what waits behind it: the order of its writer's events would be lost.
    if (isIntermodalError(placed, "UNAVAILABLE")) this.#failBehind(waiting.streamId, placed);
  }

  /** The server is away: what has waited longer than it took to find that out need not find it out for itself, some of it after many others. */
  #failWaiting(begun: number, failure: IntermodalError): void {
    if (failure.code !== "UNAVAILABLE") return;
    for (const [streamId, { items }] of this.#waiting)
      if ((items[0] as Item).passes < begun) this.#failBehind(streamId, failure);
  }

  #failBehind(streamId: string, failure: IntermodalError): void {
    const behind = this.#waiting.get(streamId);
    this.#waiting.delete(streamId);
    behind?.end(failure);
  }

  /** Others came first: again, with what has come meanwhile. */
  async #again(waiting: Waiting): Promise<void> {
    const { streamId } = waiting;
    const now = this.#clock.now();
    if (++waiting.rounds === 1) waiting.patienceEnds = now + CONTENTION_PATIENCE_MS;
    if (now > waiting.patienceEnds) {
      this.#answer(waiting, unavailable("append", "too many others append to the stream at once"));
    } else {
      const pauses = waiting.rounds - EAGER_ROUNDS;
      if (pauses > 0) await pauseForOthers(this.#clock, pauses);
      waiting.items.push(...(this.#waiting.get(streamId)?.items ?? []));
      this.#waiting.set(streamId, waiting);
      this.#busy.delete(streamId);
    }
    this.#pump();
  }
}

function failureOf(error: unknown): IntermodalError {
  return error instanceof IntermodalError ? error : unavailable("append", messageOf(error), true, error);
}
