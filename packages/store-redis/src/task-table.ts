import type { Change, Reading, RecordTable, RecoveryCandidate, SweepTable } from "@intermodal/core/adapter";
import { inParts, partsOf, ServerClock, type Tried } from "@intermodal/core/adapter";
import { type IntermodalError, isIntermodalError, isTerminal, recoveryTime } from "@intermodal/core/ports";
import { taskHold } from "./lua/task-hold.ts";
import { taskPage } from "./lua/task-page.ts";
import { taskRead } from "./lua/task-read.ts";
import { taskWrite } from "./lua/task-write.ts";
import { decodeKey, encodeKey } from "./names.ts";
import { lengthOf, MAX_LENGTH } from "./scripts.ts";
import type { Session } from "./session.ts";
import { fieldsOf, indexesOf, recordOf, runIndex, type StoredFields } from "./task-fields.ts";

/** Records in one call of a script, so that it holds the server up for a few milliseconds at the most. */
const MAX_BATCH = 100;

/** A place in a sorted set: what comes after it is read next. */
export interface Place {
  readonly score: number;
  /** As it stands in the set; empty: the score's own edge. */
  readonly member: string;
}

/** The task records of one namespace in Redis: a hash each, and sorted sets by which they are found. */
export class TaskTable implements RecordTable, SweepTable {
  /** Where ids of tasks are published that have just ended. */
  readonly channel: string;
  readonly #session: Session;
  readonly #prefix: string;
  readonly #clock: ServerClock;

  constructor(session: Session) {
    this.#session = session;
    this.#clock = new ServerClock(session.clock);
    this.#prefix = session.names.shared();
    this.channel = session.names.shared("ended");
  }

  now(): number | undefined {
    return this.#clock.now();
  }

  read(ids: readonly string[]): Promise<readonly Reading[]> {
    return this.readMembers(ids.map(encodeKey));
  }

  /** Reads records by their members in the sets. */
  async readMembers(members: readonly string[]): Promise<readonly Reading[]> {
    const parts = partsOf(members, MAX_BATCH);
    const found = await Promise.all(parts.map((part) => this.#readSome(part)));
    for (const [at, part] of parts.entries()) {
      const readings = found[at] as Reading[];
      // They are long, and come one answer after the other.
      while (readings.length < part.length) readings.push(...(await this.#readSome(part.slice(readings.length))));
    }
    return found.flat();
  }

  write(changes: readonly Change[]): Promise<readonly (Reading | IntermodalError | undefined)[]> {
    const { clock } = this.#session;
    const beganAt = clock.now();
    const write = async (part: readonly Encoded[]): Promise<readonly Tried<Reading | undefined>[]> => {
      const waitedMs = clock.now() - beganAt;
      // Others were long, and it would be refused by now: what is there is all that it can get.
      if (part.every(({ maxAgeMs }) => waitedMs > maxAgeMs)) return this.read(part.map(({ id }) => id));
      return this.#write(part);
    };
    return inParts(encoded(changes), MAX_BATCH, write, ({ args }) => lengthOf(args), MAX_LENGTH);
  }

  async *run(rootId: string): AsyncIterable<readonly string[]> {
    yield [rootId];
    let after: Place = { score: Number.NEGATIVE_INFINITY, member: "" };
    for (;;) {
      const places = await this.page([runIndex(rootId)], "up", after, Number.POSITIVE_INFINITY, MAX_BATCH);
      const last = places.at(-1);
      if (last === undefined) return;
      yield places.map(({ member }) => decodeKey(member));
      after = last;
    }
  }

  async hold(node: string, leaseMs: number): Promise<number | undefined> {
    const keys = [`${this.#prefix}sweep`, this.#prefix];
    const now = (await this.#session.script("recover", taskHold, keys, [node, Math.ceil(leaseMs)])) as number | null;
    return now ?? undefined;
  }

  async candidates(
    after: RecoveryCandidate | undefined,
    until: number,
    limit: number,
  ): Promise<readonly RecoveryCandidate[]> {
    const place =
      after === undefined
        ? { score: Number.NEGATIVE_INFINITY, member: "" }
        : { score: after.at, member: encodeKey(after.id) };
    const places = await this.page(["recovery"], "up", place, until, limit);
    return places.map(({ score, member }) => ({ at: score, id: decodeKey(member) }));
  }

  /** Reads on in one of the sets, or in several that have no member in common, as they are at one moment. */
  async page(
    indexes: readonly string[],
    direction: "up" | "down",
    after: Place,
    last: number,
    limit: number,
  ): Promise<readonly Place[]> {
    if (indexes.length === 0) return [];
    const keys = indexes.map((index) => this.#prefix + index);
    const args = [direction, bound(after.score), after.member, bound(last), limit];
    const sets = (await this.#session.script("list tasks", taskPage, keys, args)) as string[][];
    const places = sets.flatMap((rows) =>
      Array.from({ length: rows.length / 2 }, (_, at) => ({
        member: rows[2 * at] as string,
        score: Number(rows[2 * at + 1]),
      })),
    );
    if (indexes.length > 1) places.sort((one, other) => (direction === "up" ? 1 : -1) * compare(one, other));
    return places.slice(0, limit);
  }

  /** The first ones, as many as one answer has room for. */
  async #readSome(members: readonly string[]): Promise<Reading[]> {
    const keys = members.map((member) => `${this.#prefix}task:${member}`);
    const answer = await this.#session.script("read tasks", taskRead, keys, [MAX_LENGTH]);
    const [now, ...found] = answer as Answers<StoredFields>;
    this.#clock.learn(now);
    return found.map((fields) => readingOf(fields, now));
  }

  async #write(part: readonly Encoded[]): Promise<readonly Tried<Reading | undefined>[]> {
    const args: (string | number)[] = [this.channel, MAX_LENGTH, part.length];
    for (const write of part) args.push(...write.args);
    const keys = [this.#prefix, `${this.#prefix}expiring`];
    const answer = await this.#session.script("write tasks", taskWrite, keys, args);
    const [now, ...results] = answer as Answers<StoredFields | 0 | 1>;
    this.#clock.learn(now);
    const untold = part.filter((_, at) => results[at] === 1).map(({ id }) => id);
    const told = (await this.#tryRead(untold)).values();
    return results.map((result) => {
      if (result === 0) return undefined;
      return result === 1 ? told.next().value : readingOf(result, now);
    });
  }

  /** Reads what has not been written. Others of its part have been: that it cannot be read is no failure of these. */
  async #tryRead(ids: readonly string[]): Promise<readonly Tried<Reading>[]> {
    if (ids.length === 0) return [];
    try {
      return await this.read(ids);
    } catch (error) {
      if (!isIntermodalError(error)) throw error;
      return ids.map(() => error);
    }
  }
}

/** A change as it is sent. */
interface Encoded extends Pick<Change, "id" | "maxAgeMs"> {
  readonly args: readonly (string | number)[];
}

type Answers<Item> = [now: number, ...items: Item[]];

function readingOf(fields: StoredFields, now: number): Reading {
  const [version] = fields;
  if (version === null) return { record: undefined, version: 0, now };
  const record = recordOf(fields);
  const hasExpired = record.expiresAt !== undefined && record.expiresAt <= now;
  return { record: hasExpired ? undefined : record, version: Number(version), now };
}

function* encoded(changes: readonly Change[]): Iterable<Encoded> {
  for (const change of changes) yield { id: change.id, maxAgeMs: change.maxAgeMs, args: argsOf(change) };
}

function argsOf({ id, before, after, maxAgeMs }: Change): readonly (string | number)[] {
  const { set, remove } = fieldsOf(before.record, after);
  const hasEnded = isTerminal(after.status) && (before.record === undefined || !isTerminal(before.record.status));
  const args = [
    encodeKey(id),
    before.version,
    before.now,
    maxAgeMs,
    after.createdAt,
    indexesOf(after),
    recoveryTime(after) ?? "",
    after.expiresAt ?? "",
    hasEnded ? 1 : 0,
    set.length,
  ];
  for (const [field, value] of set) args.push(field, value);
  args.push(remove.length, ...remove);
  return args;
}

/** Redis spells infinity in its own way. */
function bound(score: number): string | number {
  if (Number.isFinite(score)) return score;
  return score > 0 ? "+inf" : "-inf";
}

/** Members are ASCII: letters in the order of their bytes, as in the sets. */
function compare(one: Place, other: Place): number {
  if (one.score !== other.score) return one.score - other.score;
  return one.member < other.member ? -1 : 1;
}
