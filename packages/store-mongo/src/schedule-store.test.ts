import { IntermodalError, type ScheduleWrite } from "@intermodal/core/ports";
import { beforeEach, expect, it } from "vitest";
import type { ScheduleDocument } from "./schedule-document.ts";
import { MongoScheduleStore } from "./schedule-store.ts";
import type { Session } from "./session.ts";

const away = () => new IntermodalError("UNAVAILABLE", "away", { unknown: true });

function writeOf(name: string, of: object = {}): ScheduleWrite {
  const definition = {
    type: "t",
    taskVersion: "1",
    queue: "q",
    retentionMs: 1,
    input: null,
    userId: undefined,
    timing: { everyMs: 1_000 },
    enabled: true,
    missed: "one",
    overlap: "allow",
    ...of,
  };
  const schedule = { definition, state: "running", nextAt: 1, fires: 0, revision: "r" };
  return { name, expected: undefined, schedule } as unknown as ScheduleWrite;
}

/** What the calls come to, one after the other; those after them are written. */
let failures: (IntermodalError | undefined)[];
let store: MongoScheduleStore;
beforeEach(() => {
  failures = [];
  const collection = {
    findOneAndUpdate: async ({ _id }: { _id: { $eq: string } }): Promise<Partial<ScheduleDocument>> => {
      return { _id: _id.$eq, type: "t", task_version: "1", queue: "q", every_ms: 1_000 };
    },
  };
  const call = async (_what: string, _spec: unknown, run: (schedules: object) => Promise<unknown>) => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return run(collection);
  };
  store = new MongoScheduleStore({ call } as unknown as Session);
});

it("a write that fails is told, and so is what the others came to", async () => {
  failures = [undefined, away()];
  const writes = [writeOf("a"), writeOf("b"), writeOf("c", { type: 7 }), writeOf("d")];
  await expect(store.put(writes)).rejects.toMatchObject({
    name: "BatchError",
    failures: [undefined, { code: "UNAVAILABLE", unknown: true }, { code: "NOT_SERIALIZABLE" }, undefined],
    results: [
      { written: true, schedule: { name: "a" } },
      undefined,
      undefined,
      { written: true, schedule: { name: "d" } },
    ],
  });
});

it("what all writes fail for is told once", async () => {
  failures = [away(), away()];
  await expect(store.put([writeOf("a"), writeOf("b")])).rejects.toMatchObject({
    name: "IntermodalError",
    message: "away",
  });
});
