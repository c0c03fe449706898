import { expect, test } from "vitest";
import { BatchError, IntermodalError } from "../errors.ts";
import { takeAll } from "./batch.ts";

const refused = new IntermodalError("PAYLOAD_TOO_LARGE", "too large");

test("a batch of which all was taken resolves", async () => {
  await expect(takeAll([Promise.resolve(), Promise.resolve(1)])).resolves.toBeUndefined();
});

test("a batch that failed as a whole rejects with its failure, one in part with each item's", async () => {
  await expect(takeAll([Promise.reject(refused)])).rejects.toBe(refused);
  const error = await takeAll([Promise.resolve(), Promise.reject(refused)]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BatchError);
  expect((error as BatchError).failures).toEqual([undefined, refused]);
});

test("what a driver throws counts as an answer that was lost", async () => {
  await expect(takeAll([Promise.reject(new Error("socket hang up"))])).rejects.toMatchObject({
    code: "UNAVAILABLE",
    unknown: true,
  });
});
