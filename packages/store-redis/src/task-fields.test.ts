import { newRecord } from "@intermodal/core/ports";
import { expect, test } from "vitest";
import { fieldsOf, recordOf, type StoredFields } from "./task-fields.ts";

test("what is read shares nothing that can be changed with what is remembered", () => {
  const draft = { id: "p", type: "t", taskVersion: "1", queue: "q", input: 1, rootId: "p", series: 1, streamId: "p" };
  const record = newRecord({ ...draft, createdAt: 1, retentionMs: 1 }, 1);
  const children = Object.fromEntries(
    ["a", "__proto__"].map((key) => [key, { id: key, status: "QUEUED", series: 1 } as const]),
  );
  const fields = new Map(fieldsOf(undefined, { ...record, children }).set);
  const read = recordOf(
    ["v", "r", "i", "p", "o", "c"].map((name) => fields.get(name) ?? null) as unknown as StoredFields,
  );
  expect(read.children).toEqual(children);
  for (const child of Object.values(read.children)) expect(Object.isFrozen(child)).toBe(true);
});
