import type { Change } from "@intermodal/core/adapter";
import { IntermodalError, newRecord, type TaskRecord } from "@intermodal/core/ports";
import { beforeEach, expect, test } from "vitest";
import { Names } from "./names.ts";
import type { Script } from "./scripts.ts";
import type { Session } from "./session.ts";
import { TaskTable } from "./task-table.ts";

const NOW = 1_800_000_000_000;
const MIB = 1_048_576;

function recordOf(id: string, length = 1): TaskRecord {
  const input = "x".repeat(length);
  const draft = { id, type: "t", taskVersion: "1", queue: "q", input, rootId: id, series: 1, streamId: id };
  return newRecord({ ...draft, createdAt: NOW, retentionMs: 1_000 }, NOW);
}

function insert(id: string, length?: number): Change {
  return { id, before: { record: undefined, version: 0, now: NOW }, after: recordOf(id, length), maxAgeMs: 1_000 };
}

/** A server that has nothing, and does with each call what the test says. */
class FakeSession {
  readonly names = new Names("library");
  time = NOW;
  readonly clock = { now: () => this.time };
  /** `begin write a b`, with the ids that it is about. */
  readonly told: string[] = [];
  /** How many records one answer has room for. */
  room = Number.POSITIVE_INFINITY;
  written: (ids: readonly string[]) => readonly unknown[] = (ids) => ids.map(() => 0);
  readFails: IntermodalError | undefined;

  async script(_: string, { name }: Script, keys: readonly string[], args: readonly (string | number)[]) {
    const write = name === "task-write";
    const ids = write ? args.filter((arg) => /^id-/.test(String(arg))) : keys.map((key) => key.replace(/.*:/, ""));
    const call = `${write ? "write" : "read"} ${ids.join(" ")}`;
    this.told.push(`begin ${call}`);
    await Promise.resolve();
    this.told.push(`end ${call}`);
    if (write) return [NOW, ...this.written(ids.map(String))];
    if (this.readFails !== undefined) throw this.readFails;
    return [NOW, ...ids.slice(0, this.room).map(() => [null, null, null, null, null, null])];
  }
}

const nothing = { record: undefined, version: 0, now: NOW };
const lost = new IntermodalError("UNAVAILABLE", "the answer was lost", { unknown: true });

let session: FakeSession;
let table: TaskTable;
beforeEach(() => {
  session = new FakeSession();
  table = new TaskTable(session as unknown as Session);
});

test("records that are long are written in calls of a bounded length, one after the other", async () => {
  const lengths = [1, 1, 3 * MIB, 3 * MIB, 8 * MIB, 1, 1];
  expect(await table.write(lengths.map((length, at) => insert(`id-${at}`, length)))).toEqual(
    lengths.map(() => undefined),
  );
  const calls = ["write id-0 id-1 id-2", "write id-3", "write id-4", "write id-5 id-6"];
  expect(session.told).toEqual(calls.flatMap((call) => [`begin ${call}`, `end ${call}`]));
});

test("short ones go in calls beside each other", async () => {
  await table.write(Array.from({ length: 150 }, (_, at) => insert(`id-${at}`)));
  expect(session.told.map((line) => line.replace(/ id.*/, ""))).toEqual([
    "begin write",
    "begin write",
    "end write",
    "end write",
  ]);
});

test("what others kept waiting for too long is not sent to be refused: it is told what is there", async () => {
  session.written = (ids) => {
    session.time += 700;
    return ids.map(() => 0);
  };
  const results = await table.write(["id-0", "id-1", "id-2"].map((id) => insert(id, 4 * MIB)));
  expect(results).toEqual([undefined, undefined, nothing]);
  expect(session.told.filter((line) => line.startsWith("begin"))).toEqual([
    ...["begin write id-0", "begin write id-1"],
    "begin read id-2",
  ]);
});

test("what an answer has no room for is asked for", async () => {
  session.written = () => [0, [null, null, null, null, null, null], 1, 0, 1];
  const changes = Array.from({ length: 5 }, (_, at) => insert(`id-${at}`));
  expect(await table.write(changes)).toEqual([undefined, nothing, nothing, undefined, nothing]);
  expect(session.told).toContain("begin read id-2 id-4");
  session.readFails = lost;
  expect(await table.write(changes)).toEqual([undefined, nothing, lost, undefined, lost]);
});

test("records that are long are read in answers of a bounded length", async () => {
  session.room = 2;
  expect(await table.read(["id-0", "id-1", "id-2", "id-3", "id-4"])).toEqual([
    nothing,
    nothing,
    nothing,
    nothing,
    nothing,
  ]);
  const calls = ["id-0 id-1 id-2 id-3 id-4", "id-2 id-3 id-4", "id-4"];
  expect(session.told).toEqual(calls.flatMap((ids) => [`begin read ${ids}`, `end read ${ids}`]));
});
