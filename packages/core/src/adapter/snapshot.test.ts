import { expect, test } from "vitest";
import { newRecord, type TaskRecord } from "../ports/index.ts";
import { draftOf } from "./record-table-fixture.ts";
import { snapshotOf } from "./snapshot.ts";

test("a snapshot may be changed by its receiver", () => {
  const record: TaskRecord = { ...newRecord(draftOf("a"), 1), failedSends: [1], sends: 2, duties: [], owes: [] };
  const before = structuredClone(record);
  const snapshot = snapshotOf(record);
  for (const list of [snapshot.failedSends, snapshot.duties, snapshot.owes]) (list as unknown[]).push(7);
  Object.assign(snapshot.children, { k: { id: "c", status: "QUEUED", series: 1 } });
  expect(record).toEqual(before);
});
