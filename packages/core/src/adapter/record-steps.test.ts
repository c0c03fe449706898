import { describe, expect, test } from "vitest";
import { BatchError, IntermodalError } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import * as transitions from "../lifecycle/transitions.ts";
import { systemClock } from "../ports/clock.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { KnownRecords } from "./known-records.ts";
import { type RecordStep, RecordSteps } from "./record-steps.ts";
import { draftOf, FakeTable } from "./record-table-fixture.ts";

function open() {
  const table = new FakeTable();
  return { table, steps: new RecordSteps(table, new KnownRecords(), systemClock) };
}

const create = (id: string): RecordStep<string> => ({
  id,
  isNew: true,
  run: (record, now) => {
    const step = transitions.create(record, draftOf(id), now);
    return { record: step.record, outcome: step.outcome.kind };
  },
});

/** Answers with the version that it left. */
const cancel = (id: string): RecordStep<number | undefined> => ({
  id,
  run: (record, now) => {
    const next = record && transitions.requestCancel(record, now);
    return { record: next, outcome: next?.version };
  },
});

function touched(record: TaskRecord, now: number): TaskRecord {
  return { ...record, version: record.version + 1, updatedAt: now };
}

const touch = (id: string): RecordStep<number> => ({
  id,
  run: (record, now) => {
    if (record === undefined) return { record, outcome: 0 };
    const next = touched(record, now);
    return { record: next, outcome: next.version };
  },
});

const tooLarge = () => new IntermodalError("PAYLOAD_TOO_LARGE", "more than a record holds");
const lost = () => new IntermodalError("UNAVAILABLE", "the answer was lost", { unknown: true });

describe("steps over a store that compares and sets", () => {
  test("a new record needs no reading, nor does the next step of the process that wrote it", async () => {
    const { table, steps } = open();
    expect(await steps.take([create("a"), create("b")])).toEqual(["created", "created"]);
    expect(await steps.take([touch("a")])).toEqual([2]);
    expect(table.asked).toEqual(["write a b", "write a"]);
  });

  test("where the store's time is not known it is asked first", async () => {
    const { table, steps } = open();
    table.tellsTime = false;
    expect(await steps.take([create("a")])).toEqual(["created"]);
    expect(table.asked).toEqual(["read a", "write a"]);
  });

  test("a step whose record was changed meanwhile is taken again from what is there", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.beforeWrite = () => {
      table.records.set("a", touched(table.records.get("a") as TaskRecord, 1));
    };
    expect(await steps.take([touch("a")])).toEqual([3]);
    expect(table.records.get("a")?.version).toBe(3);
  });

  test("steps of one record in one batch are taken in order and written together", async () => {
    const { table, steps } = open();
    await steps.take([create("a"), create("b")]);
    table.asked.length = 0;
    expect(await steps.take([touch("a"), touch("b"), touch("a")])).toEqual([2, 2, 3]);
    expect(table.asked).toEqual(["write a b"]);
  });

  test("what changes nothing is not answered from memory", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    await steps.take([cancel("a")]);
    table.records.set("a", { ...(table.records.get("a") as TaskRecord), cancelRequested: false, version: 9 });
    expect(await steps.take([cancel("a")])).toEqual([10]);
  });

  test("a delay is counted from the store's own time, also in a batch with others", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.asked.length = 0;
    await steps.take([touch("a"), { ...touch("a"), countsDelay: true }]);
    expect(table.asked).toEqual(["read a", "write a"]);
  });

  test("where the store's time is told a little late, a record's times do not go back", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    const { updatedAt } = table.records.get("a") as TaskRecord;
    table.behindMs = 50;
    await steps.take([touch("a")]);
    expect(table.records.get("a")?.updatedAt).toBe(updatedAt);
  });

  test("a step that was computed too long ago is taken again", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.beforeWrite = () => {
      table.time += 60_000;
    };
    await steps.take([touch("a")]);
    expect(table.records.get("a")?.updatedAt).toBe(table.time);
  });

  test("after a lost answer nothing is remembered, and the same steps again find what they did", async () => {
    const { table, steps } = open();
    table.lostAnswers.push(lost());
    await expect(steps.take([create("a")])).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    expect(await steps.take([create("a")])).toEqual(["existing"]);
  });

  test("of a batch, what is through keeps its answers when the rest fails", async () => {
    const { table, steps } = open();
    await steps.take([create("a"), create("b")]);
    table.beforeWrite = () => {
      table.records.set("b", touched(table.records.get("b") as TaskRecord, 1));
      table.beforeWrite = () => table.lostAnswers.push(lost());
    };
    const failure = await steps.take([touch("a"), touch("b")]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BatchError);
    const { results, failures } = failure as BatchError;
    expect(results).toEqual([2, undefined]);
    expect(failures.map((error) => error?.unknown)).toEqual([undefined, true]);
  });

  test("a record that the store refuses costs the others nothing", async () => {
    const { table, steps } = open();
    table.refuses = ({ id }) => (id === "a" ? tooLarge() : undefined);
    const failure = await steps.take([create("a"), create("b")]).catch((error: unknown) => error);
    expect((failure as BatchError).results).toEqual([undefined, "created"]);
    expect([...table.records.keys()]).toEqual(["b"]);
  });

  test("nor where the store refuses all for the sake of one", async () => {
    const { table, steps } = open();
    table.refuses = ({ id }) => (id === "a" ? tooLarge() : undefined);
    table.refusesWhole = true;
    const failure = await steps.take([create("a"), create("b"), create("c")]).catch((error: unknown) => error);
    expect((failure as BatchError).results).toEqual([undefined, "created", "created"]);
    expect((failure as BatchError).failures[0]?.code).toBe("PAYLOAD_TOO_LARGE");
    await expect(steps.take([create("a")])).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  });

  test("what is remembered is not taken for a record that was made anew under its id, when the old one had gone", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    const old = table.records.get("a") as TaskRecord;
    table.time += old.retentionMs;
    table.records.set("a", { ...old, createdAt: table.time, updatedAt: table.time });
    table.asked.length = 0;
    await steps.take([touch("a")]);
    expect(table.asked).toEqual(["read a", "write a"]);
    expect(table.records.get("a")?.createdAt).toBe(table.time);
  });

  test("whoever sees answers late gets on too: what was read may be older than what was guessed", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    const wait = () => {
      table.time += 1_500;
      table.beforeWrite = wait;
    };
    wait();
    expect(await steps.take([touch("a")])).toEqual([2]);
  });

  test("whoever has paused, since others came first all the time, goes on from what is there then", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.asked.length = 0;
    let times = 5;
    const comeFirst = () => {
      table.records.set("a", touched(table.records.get("a") as TaskRecord, 1));
      if (--times > 0) table.beforeWrite = comeFirst;
    };
    table.beforeWrite = comeFirst;
    expect(await steps.take([touch("a")])).toEqual([7]);
    expect(table.asked).toEqual([...Array.from({ length: 5 }, () => "write a"), "read a", "write a"]);
  });

  test("many at once at one record all get their turn", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    const others = Array.from({ length: 20 }, () => new RecordSteps(table, new KnownRecords(), systemClock));
    const versions = await Promise.all(others.map((other) => other.take([touch("a")])));
    expect(versions.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 2));
  });

  test("what comes for a record while something is under way goes together: a process is not in its own way", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.asked.length = 0;
    const versions = await Promise.all(Array.from({ length: 40 }, () => steps.take([touch("a")])));
    expect(versions.flat()).toEqual(Array.from({ length: 40 }, (_, n) => n + 2));
    expect(table.asked).toEqual(["write a", "write a"]);
  });

  test("no more of it at once than can be computed in a moment", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    const took: number[] = [];
    let version = 1;
    table.refuses = ({ after }) => {
      took.push(after.version - version);
      version = after.version;
      return undefined;
    };
    const calls = Array.from({ length: 30 }, () => steps.take(Array.from({ length: 100 }, () => touch("a"))));
    await Promise.all([...calls, steps.take(Array.from({ length: 1_000 }, () => touch("a")))]);
    expect(took).toEqual([100, ...Array.from({ length: 14 }, () => 200), 100, 1_000]);
  });

  test("of a batch waits only what concerns a record under way", async () => {
    const { table, steps } = open();
    await steps.take([create("a"), create("b")]);
    table.asked.length = 0;
    const both = await Promise.all([steps.take([touch("a")]), steps.take([touch("a"), touch("b")])]);
    expect(both).toEqual([[2], [3, 2]]);
    expect(table.asked).toEqual(["write a", "write b", "write a"]);
  });

  test("what waited behind a lost answer is taken from what is there", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.lostAnswers.push(lost());
    const came = await Promise.allSettled([
      steps.take([touch("a")]),
      steps.take([touch("a")]),
      steps.take([touch("a")]),
    ]);
    expect(came.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(table.records.get("a")?.version).toBe(4);
  });

  test("a lost answer is told to all whose steps went together", async () => {
    const { table, steps } = open();
    await steps.take([create("a")]);
    table.beforeWrite = () => {
      table.beforeWrite = () => table.lostAnswers.push(lost());
    };
    const came = await Promise.allSettled([1, 2, 3].map(() => steps.take([touch("a")])));
    expect(came).toMatchObject([{ value: [2] }, { reason: { unknown: true } }, { reason: { unknown: true } }]);
  });

  test.each([false, true])(
    "a step that the store refuses costs those nothing that went with it (as a whole: %s)",
    async (whole) => {
      const { table, steps } = open();
      await steps.take([create("a")]);
      table.refusesWhole = whole;
      table.refuses = ({ after }) => (after.progress === "too long" ? tooLarge() : undefined);
      const swell: RecordStep<number> = {
        id: "a",
        run: (record, now) => ({ record: record && { ...touched(record, now), progress: "too long" }, outcome: 0 }),
      };
      const calls = [touch("a"), touch("a"), swell, touch("a")].map((step) => steps.take([step]));
      const came = await Promise.allSettled(calls);
      expect(came).toMatchObject([
        { value: [2] },
        { value: [3] },
        { reason: { code: "PAYLOAD_TOO_LARGE" } },
        { value: [4] },
      ]);
    },
  );

  test("a mistake in a step is its callers' to see, and holds nobody up afterwards", async () => {
    const { steps } = open();
    const wrong: RecordStep<number> = {
      id: "a",
      run: () => {
        throw new TypeError("a mistake");
      },
    };
    await expect(steps.take([wrong, touch("b")])).rejects.toThrow("a mistake");
    expect(await steps.take([create("a"), create("b")])).toEqual(["created", "created"]);
  });

  test("where others come first all the time it gives up in the end, after pauses, and takes what comes then", async () => {
    const { table } = open();
    const clock = new VirtualClock();
    const steps = new RecordSteps(table, new KnownRecords(), clock);
    await steps.take([create("a")]);
    table.asked.length = 0;
    const comeFirst = () => {
      table.records.set("a", touched(table.records.get("a") as TaskRecord, 1));
      table.beforeWrite = comeFirst;
    };
    comeFirst();
    const refused = expect(steps.take([touch("a")])).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
    await clock.advance(60_000);
    await refused;
    // With pauses that do not grow it would be some 2,000.
    expect(table.asked.length).toBeLessThan(200);
    table.beforeWrite = undefined;
    const { version } = table.records.get("a") as TaskRecord;
    expect(await steps.take([touch("a")])).toEqual([version + 1]);
  });
});
