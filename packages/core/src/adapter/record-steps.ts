import { IntermodalError } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import type { Step } from "../lifecycle/transitions.ts";
import { type Clock, sleep } from "../ports/clock.ts";
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
/** A record so contended that others came first all the time. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 20;
/** The store's time as it is told here is near enough for so long; */
const GUESS_AGE_MS = 1_000;
/** a reading's own time for longer: whoever is slow to see its answers must get on too, and what was read is compared anyway. */
const READING_AGE_MS = 10_000;

/** The steps of one batch that concern one record, in their order. */
class Group<Outcome> {
  readonly id: string;
  readonly steps: RecordStep<Outcome>[] = [];
  readonly places: number[] = [];
  reading: Reading | undefined;
  /** Read for this batch, not remembered or assumed: what changes nothing may be answered from it. */
  isFresh = false;
  outcomes: Tried<Outcome>[] = [];
  after: TaskRecord | undefined;

  constructor(id: string) {
    this.id = id;
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
}

/**
 * Takes steps over a store that compares and sets. Each is computed from what the store held, and takes effect only if that is still there; else it is computed again. So it is
 * one atomic step of the store, at the store's time. What is answered without a write was read for it.
 */
export class RecordSteps {
  readonly #table: RecordTable;
  readonly #known: KnownRecords;
  readonly #clock: Clock;

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
    let pending = this.#group(steps, answers);
    const patienceEnds = this.#clock.now() + PATIENCE_MS;
    for (let round = 1; pending.length > 0; round++) {
      if (round > EAGER_ROUNDS && this.#clock.now() > patienceEnds) {
        const contended = new IntermodalError("UNAVAILABLE", "the record is being changed by too many others at once");
        for (const group of pending) answer(group, answers, contended);
        break;
      }
      if (round > EAGER_ROUNDS) await sleep(this.#clock, Math.random() * PAUSE_MS);
      try {
        await this.#round(pending);
      } catch (error) {
        // Those that are through have their answers; the caller repeats the others.
        if (!(error instanceof IntermodalError) || !answers.some(() => true)) throw error;
        for (const group of pending) answer(group, answers, error);
        break;
      }
      pending = pending.filter((group) => {
        if (group.outcomes.length === 0) return true;
        answer(group, answers);
        return false;
      });
    }
    return answersOf(answers);
  }

  #group<Outcome>(steps: readonly Tried<RecordStep<Outcome>>[], answers: Tried<Outcome>[]): readonly Group<Outcome>[] {
    const groups = new Map<string, Group<Outcome>>();
    const now = this.#table.now();
    steps.forEach((step, place) => {
      if (step instanceof IntermodalError) {
        answers[place] = step;
        return;
      }
      let group = groups.get(step.id);
      if (group === undefined) {
        group = new Group(step.id);
        groups.set(step.id, group);
        if (now !== undefined) group.reading = this.#guess(step, now);
      }
      if (step.countsDelay) group.reading = undefined;
      group.steps.push(step);
      group.places.push(place);
    });
    return [...groups.values()];
  }

  #guess({ id, isNew, countsDelay }: RecordStep<unknown>, now: number): Reading | undefined {
    if (countsDelay) return undefined;
    const record = this.#known.get(id);
    if (record !== undefined && mayBeAnother(record, now)) return undefined;
    // What is told of the store's clock may be a little behind, but a record's times do not go back.
    if (record !== undefined) return { record, version: record.version, now: Math.max(now, record.updatedAt) };
    return isNew === true ? { record: undefined, version: 0, now } : undefined;
  }

  /** Reads what has to be read, takes the steps, writes. A group that is through has outcomes afterwards. */
  async #round<Outcome>(groups: readonly Group<Outcome>[]): Promise<void> {
    await this.#read(groups.filter(({ reading }) => reading === undefined));
    for (const group of groups) group.compute(group.reading as Reading);
    const unsure = groups.filter((group) => !group.changes && !group.isFresh);
    if (unsure.length > 0) {
      await this.#read(unsure);
      for (const group of unsure) group.compute(group.reading as Reading);
    }
    await this.#write(groups.filter((group) => group.changes));
  }

  async #read<Outcome>(groups: readonly Group<Outcome>[]): Promise<void> {
    if (groups.length === 0) return;
    const readings = await this.#table.read(groups.map(({ id }) => id));
    groups.forEach((group, at) => {
      group.reading = readings[at] as Reading;
      group.isFresh = true;
    });
  }

  async #write<Outcome>(groups: readonly Group<Outcome>[]): Promise<void> {
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
      for (const { id } of groups) this.#known.forget(id);
      throw error;
    }
    groups.forEach((group, at) => {
      const came = written[at];
      if (came === undefined) {
        this.#known.remember(group.after as TaskRecord);
        return;
      }
      this.#known.forget(group.id);
      if (came instanceof IntermodalError) {
        group.outcomes = group.outcomes.map(() => came);
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

function answer<Outcome>(group: Group<Outcome>, answers: Tried<Outcome>[], failure?: IntermodalError): void {
  group.places.forEach((place, at) => {
    answers[place] = failure ?? (group.outcomes[at] as Tried<Outcome>);
  });
}
