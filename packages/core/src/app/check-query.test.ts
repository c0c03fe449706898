import { expect, test } from "vitest";
import type { TaskQuery } from "../ports/task-state-store.ts";
import { checkLookupId, checkQuery } from "./check-query.ts";

const refused = expect.objectContaining({ code: "VALIDATION_FAILED" });

test.each<TaskQuery>([
  {},
  { status: "QUEUED", type: "t", userId: "", parentId: "__proto__", rootId: "$gt" },
  { status: ["QUEUED", "FAILED"], createdAfter: 0, createdBefore: -1.5, limit: 3, cursor: "x", userId: undefined },
])("a query of texts and numbers passes as it is: %o", (query) => {
  expect(checkQuery(query)).toEqual(query);
});

test.each([
  { userId: { $gt: "" } },
  { userId: ["a"] },
  { userId: null },
  { type: 1 },
  { status: { $ne: "" } },
  { status: ["QUEUED", { $ne: "" }] },
  { createdAfter: "0" },
  { createdBefore: { $gt: 0 } },
  { limit: Number.NaN },
  { cursor: {} },
])("operators and other types are refused: %o", (query) => {
  expect(() => checkQuery(query as TaskQuery)).toThrow(refused);
});

test("what is no part of a query is refused: without it too much would be listed", () => {
  for (const field of ["$where", "runId", "user_id", "toString"]) {
    expect(() => checkQuery({ type: "t", [field]: "1" } as TaskQuery)).toThrow(refused);
  }
  expect(checkQuery({ type: "t", runId: undefined } as TaskQuery)).toEqual({ type: "t" });
});

test("an id to look up is a text", () => {
  expect(checkLookupId("an id", "{}:*")).toBe("{}:*");
  for (const id of [{ $gt: "" }, ["a"], 1, null, undefined]) expect(() => checkLookupId("an id", id)).toThrow(refused);
});
