import { inParts, type Tried } from "@intermodal/core/adapter";
import type { ScheduleOutcome, ScheduleReading, ScheduleRecord, ScheduleWrite } from "@intermodal/core/ports";
import { scheduleDue } from "./lua/schedule-due.ts";
import { scheduleList } from "./lua/schedule-list.ts";
import { scheduleRead } from "./lua/schedule-read.ts";
import { scheduleRemove } from "./lua/schedule-remove.ts";
import { scheduleWrite } from "./lua/schedule-write.ts";
import { decodeKey, encodeKey } from "./names.ts";
import { type StoredSchedule, scheduleOf, stateOf } from "./schedule-fields.ts";
import { lengthOf, MAX_LENGTH } from "./scripts.ts";
import type { Session } from "./session.ts";

/** What is due, and the time by which it is. */
export interface DuePart {
  readonly now: number;
  readonly nextAt: number | undefined;
  readonly items: readonly ScheduleRecord[];
}

/** A due time and a name in it; without a name, the beginning of that time. */
export interface DuePlace {
  readonly nextAt: number;
  readonly name: string;
}

/** Schedules in one call of a script, so that it holds the server up for a few milliseconds at the most. */
export const MAX_BATCH = 50;

/** A write as it is sent. */
interface Encoded {
  readonly write: ScheduleWrite;
  readonly definition: string;
  readonly args: readonly (string | number)[];
}

type Row = readonly [name: string, ...StoredSchedule];
type WriteAnswer = readonly [written: 1, createdAt: string] | readonly [written: 0 | 1, ...stored: StoredSchedule];

/** The schedules of one namespace in Redis: a hash each, and two sorted sets by which they are found. Each step is one script. */
export class ScheduleTable {
  readonly #session: Session;
  readonly #prefix: string;
  readonly #names: string;
  readonly #due: string;

  constructor(session: Session) {
    this.#session = session;
    this.#prefix = session.names.shared();
    this.#names = session.names.shared("schedules");
    this.#due = session.names.shared("due");
  }

  async read(names: readonly string[]): Promise<ScheduleReading> {
    const [now, ...rows] = (await this.#run("get schedules", scheduleRead, names.map(encodeKey))) as [
      number,
      ...StoredSchedule[],
    ];
    return { now, schedules: rows.map((stored, at) => scheduleOf(names[at] as string, stored)) };
  }

  write(writes: readonly ScheduleWrite[]): Promise<readonly Tried<ScheduleOutcome>[]> {
    const put = async (part: readonly Encoded[]): Promise<readonly ScheduleOutcome[]> => {
      const args = part.flatMap((one) => one.args);
      const answer = await this.#run("put schedules", scheduleWrite, args);
      const [now, ...answers] = answer as [number, ...WriteAnswer[]];
      return answers.map((one, at) => outcomeOf(part[at] as Encoded, one, now));
    };
    return inParts(encoded(writes), MAX_BATCH, put, ({ args }) => lengthOf(args), MAX_LENGTH);
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.#run("remove schedules", scheduleRemove, names.map(encodeKey));
  }

  async list(after: string | undefined, count: number): Promise<readonly ScheduleRecord[]> {
    const from = after === undefined ? "" : encodeKey(after);
    return recordsOf((await this.#run("list schedules", scheduleList, [from, count])) as readonly Row[]);
  }

  async due({ nextAt, name }: DuePlace, count: number): Promise<DuePart> {
    const from = Number.isFinite(nextAt) ? nextAt : "-inf";
    const keys = [this.#prefix, this.#due];
    const answer = await this.#session.script("due schedules", scheduleDue, keys, [from, encodeKey(name), count]);
    const [now, next, ...rows] = answer as [number, string, ...Row[]];
    return { now, nextAt: next === "" ? undefined : Number(next), items: recordsOf(rows) };
  }

  #run(what: string, script: Parameters<Session["script"]>[1], args: readonly (string | number)[]): Promise<unknown> {
    return this.#session.script(what, script, [this.#prefix, this.#names, this.#due], args);
  }
}

function recordsOf(rows: readonly Row[]): readonly ScheduleRecord[] {
  return rows.flatMap(([name, ...stored]) => scheduleOf(decodeKey(name), stored) ?? []);
}

function* encoded(writes: readonly ScheduleWrite[]): Iterable<Encoded> {
  for (const write of writes) {
    const { name, expected = "", schedule } = write;
    const { revision, state, nextAt } = schedule;
    const definition = JSON.stringify(schedule.definition);
    const dueAt = state === "running" && nextAt !== undefined ? nextAt : "";
    yield { write, definition, args: [encodeKey(name), expected, revision, definition, stateOf(schedule), dueAt] };
  }
}

function outcomeOf({ write, definition }: Encoded, answer: WriteAnswer, now: number): ScheduleOutcome {
  const { name, schedule } = write;
  if (answer.length === 2) {
    const stored = [schedule.revision, definition, stateOf(schedule), answer[1], String(now)] as const;
    return { written: true, schedule: scheduleOf(name, stored) as ScheduleRecord };
  }
  const [written, ...stored] = answer;
  const standing = scheduleOf(name, stored);
  return written === 1 && standing !== undefined
    ? { written: true, schedule: standing }
    : { written: false, schedule: standing };
}
