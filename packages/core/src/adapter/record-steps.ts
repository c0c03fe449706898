import { IntermodalError } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import type { Step } from "../lifecycle/transitions.ts";
import type { Clock } from "../ports/clock.ts";
import { CONTENTION_PATIENCE_MS, pauseForOthers } from "./contention.ts";
import { answersOf, type Tried } from "./each.ts";
import type { KnownRecords } from "./known-records.ts";
import type { Change, Reading, RecordTable } from "./record-table.ts";

/** One step of one record. It may throw an error of the SDK to be refused. */
export interface RecordStep<Outcome> {
  readonly id: string;
  /** Pure; may be run several times. A record that is returned as it came is not written. */
  readonly run: (record: TaskRecord | undefined, now: number) => Step<Outcome, TaskRecord | undefined>;
  /** Nothing is expected there: tried as if nothing were. */
  readonly isNew?: boolean | undefined;
  /** It counts a delay from the store's time, which must not be too short: taken from a reading, never from what is remembered. */
  readonly countsDelay?: boolean | undefined;
}

/** Tries without a pause, since each means that somebody else got on. */
const EAGER_ROUNDS = 5;
/** How many steps of several calls go together: those of a record with thousands of sub-tasks take their time, in which nothing else runs. */
const MAX_STEPS = 256;
/** The store's time as it is told here is near enough for so long; */
const GUESS_AGE_MS = 1_000;
/** a reading's own time for longer: whoever is slow to see its answers must get on too, and what was read is compared anyway. */
const READING_AGE_MS = 10_000;

/** The steps of one call that concern one record, in their order. */
class Ask<Outcome> {
  readonly id: string;
  readonly steps: RecordStep<Outcome>[] = [];
  /** Where they stand in the call. */
  readonly places: number[] = [];
  readonly answers = Promise.withResolvers<readonly Tried<Outcome>[]>();

  constructor(id: string) {
    this.id = id;
  }

  fail(failure: unknown): void {
    if (failure instanceof IntermodalError) this.answers.resolve(this.steps.map(() => failure));
    else this.answers.reject(failure);
  }
}

/** Steps of one record that are taken and written together, of one call or of several. */
class Group {
  readonly id: string;
  readonly asks: Ask<unknown>[];
  reading: Reading | undefined;
  /** Read for this group, not remembered or assumed: what changes nothing may be answered from it. */
  isFresh = false;
  /** Of every step, one ask after the other; of none while it is not through. */
  outcomes: Tried<unknown>[] = [];
  /** Why it has none. */
  failure: unknown;
  after: TaskRecord | undefined;

  constructor(id: string, asks: Ask<unknown>[]) {
    this.id = id;
    this.asks = asks;
  }

  get steps(): readonly RecordStep<unknown>[] {
    return this.asks.flatMap(({ steps }) => steps);
  }

  /** Takes the steps one after the other, from what was read. */
  compute({ record, now }: Reading): void {
    this.after = record;
    this.outcomes = this.steps.map(({ run }) => {
      try {
        const { record: next, outcome } = run(this.after, now);
        this.after = next;
        return outcome;
      } catch (error) {
        if (error instanceof IntermodalError) return error;
        throw error;
      }
    });
  }

  get changes(): boolean {
    return this.after !== this.reading?.record;
  }

  get isThrough(): boolean {
    return this.failure !== undefined || this.outcomes.length > 0;
  }

  end(): void {
    let from = 0;
    for (const ask of this.asks) {
      const to = from + ask.steps.length;
      if (this.failure === undefined) ask.answers.resolve(this.outcomes.slice(from, to));
      else ask.fail(this.failure);
      from = to;
    }
  }
}

/**
 * Takes steps over a store that compares and sets. Each is computed from what the store held, and takes effect only if that is still there; else it is computed again. So it is
 * one atomic step of the store, at the store's time. What is answered without a write was read for it.
 *
 * Nothing is written for a record twice at a time, or this process would be in its own way: what comes meanwhile waits, and is written together.
 */
export class RecordSteps {
  readonly #table: RecordTable;
  readonly #known: KnownRecords;
  readonly #clock: Clock;
  /** Behind the group of a record that is under way: what has come meanwhile, if anything. */
  readonly #behind = new Map<string, Ask<unknown>[]>();

  constructor(table: RecordTable, known: KnownRecords, clock: Clock) {
    this.#table = table;
    this.#known = known;
    this.#clock = clock;
  }

  /**
   * Takes every step. Those of one record are taken in their order and written together; the batch as a whole is not atomic.
   * @throws as `answersOf`; `UNAVAILABLE`, with `unknown` set where something may have been written.
   */
  async take<Outcome>(steps: readonly Tried<RecordStep<Outcome>>[]): Promise<readonly Outcome[]> {
    const answers: Tried<Outcome>[] = new Array(steps.length);
    const asks = new Map<string, Ask<Outcome>>();
    steps.forEach((step, place) => {
      if (step instanceof IntermodalError) {
        answers[place] = step;
        return;
      }
      let ask = asks.get(step.id);
      if (ask === undefined) {
        ask = new Ask(step.id);
        asks.set(step.id, ask);
      }
      ask.steps.push(step);
      ask.places.push(place);
    });
    const all = [...asks.values()];
    this.#enter(all as Ask<unknown>[]);
    await Promise.all(
      all.map(async ({ places, answers: { promise } }) => {
        const came = await promise;
        places.forEach((place, at) => {
          answers[place] = came[at] as Tried<Outcome>;
        });
      }),
    );
    return answersOf(answers);
  }

  #enter(asks: readonly Ask<unknown>[]): void {
    const groups: Group[] = [];
    for (const ask of asks) {
      const behind = this.#behind.get(ask.id);
      if (behind === undefined) {
        this.#behind.set(ask.id, []);
        groups.push(new Group(ask.id, [ask]));
      } else {
        behind.push(ask);
      }
    }
    void this.#run(groups);
  }

  /** Takes groups to their end, and what waits behind each. Never rejects. */
  async #run(groups: readonly Group[]): Promise<void> {
    for (const group of groups) group.reading = this.#guess(group);
    const patienceEnds = this.#clock.now() + CONTENTION_PATIENCE_MS;
    let pending = groups;
    for (let round = 1; pending.length > 0; round++) {
      if (round > EAGER_ROUNDS && this.#clock.now() > patienceEnds) {
        const contended = new IntermodalError("UNAVAILABLE", "the record is being changed by too many others at once");
        for (const group of pending) group.failure = contended;
      } else {
        if (round > EAGER_ROUNDS) {
          await pauseForOthers(this.#clock, round - EAGER_ROUNDS);
          for (const group of pending) group.reading = undefined;
        }
        await this.#round(pending);
      }
      const refused = isOne(pending) ? [] : pending.filter(({ failure }) => concernsOne(failure));
      this.#end(pending.filter((group) => group.isThrough && !refused.includes(group)));
      for (const group of refused) this.#runAlone(group);
      pending = pending.filter((group) => !group.isThrough);
    }
  }

  /** What the store refuses for good is refused to the one whose fault it is, not to those that went with it. */
  #runAlone({ id, asks }: Group): void {
    this.#behind.get(id)?.unshift(...asks.slice(1));
    void this.#run([new Group(id, asks.slice(0, 1))]);
  }

  #end(groups: readonly Group[]): void {
    const next: Group[] = [];
    for (const group of groups) {
      const asks = takeSome(this.#behind.get(group.id) ?? []);
      if (asks.length === 0) this.#behind.delete(group.id);
      else next.push(new Group(group.id, asks));
      group.end();
    }
    if (next.length > 0) void this.#run(next);
  }

  #guess({ id, steps: [first], asks }: Group): Reading | undefined {
    const now = this.#table.now();
    if (now === undefined || asks.some(({ steps }) => steps.some(({ countsDelay }) => countsDelay))) return undefined;
    const record = this.#known.get(id);
    if (record !== undefined && mayBeAnother(record, now)) return undefined;
    // What is told of the store's clock may be a little behind, but a record's times do not go back.
    if (record !== undefined) return { record, version: record.version, now: Math.max(now, record.updatedAt) };
    return first?.isNew === true ? { record: undefined, version: 0, now } : undefined;
  }

  /** Reads what has to be read, takes the steps, writes. Never rejects. */
  async #round(groups: readonly Group[]): Promise<void> {
    try {
      await this.#read(groups.filter(({ reading }) => reading === undefined));
      for (const group of groups) group.compute(group.reading as Reading);
      const unsure = groups.filter((group) => !group.changes && !group.isFresh);
      await this.#read(unsure);
      for (const group of unsure) group.compute(group.reading as Reading);
    } catch (error) {
      for (const group of groups) group.failure = error;
      return;
    }
    await this.#write(groups.filter((group) => group.changes));
  }

  async #read(groups: readonly Group[]): Promise<void> {
    if (groups.length === 0) return;
    const readings = await this.#table.read(groups.map(({ id }) => id));
    groups.forEach((group, at) => {
      group.reading = readings[at] as Reading;
      group.isFresh = true;
    });
  }

  async #write(groups: readonly Group[]): Promise<void> {
    if (groups.length === 0) return;
    const changes = groups.map(
      ({ id, reading, after, isFresh }): Change => ({
        id,
        before: reading as Reading,
        after: after as TaskRecord,
        maxAgeMs: isFresh ? READING_AGE_MS : GUESS_AGE_MS,
      }),
    );
    let written: readonly (Reading | IntermodalError | undefined)[];
    try {
      written = await this.#table.write(changes);
    } catch (error) {
      for (const group of groups) {
        this.#known.forget(group.id);
        group.failure = error;
      }
      return;
    }
    groups.forEach((group, at) => {
      const came = written[at];
      if (came === undefined) {
        this.#known.remember(group.after as TaskRecord);
        return;
      }
      this.#known.forget(group.id);
      if (came instanceof IntermodalError) {
        group.failure = came;
        return;
      }
      group.outcomes = [];
      group.reading = came;
      group.isFresh = true;
    });
  }
}

/** Whether a record may have ended, gone, and been made again under the same id and version since it was remembered. */
function mayBeAnother({ expiresAt, updatedAt, retentionMs }: TaskRecord, now: number): boolean {
  return expiresAt !== undefined || now - updatedAt >= retentionMs - GUESS_AGE_MS;
}

/** Takes from the front what may go together. */
function takeSome(asks: Ask<unknown>[]): Ask<unknown>[] {
  let steps = 0;
  const end = asks.findIndex((ask, at) => {
    steps += ask.steps.length;
    return at > 0 && steps > MAX_STEPS;
  });
  return asks.splice(0, end < 0 ? asks.length : end);
}

function isOne(groups: readonly Group[]): boolean {
  return groups.length === 1 && groups[0]?.asks.length === 1;
}

/** Whether a failure tells of what was to be written, not of the store as a whole. */
function concernsOne(failure: unknown): boolean {
  return failure instanceof IntermodalError && failure.code !== "UNAVAILABLE" && failure.code !== "CLOSED";
}
