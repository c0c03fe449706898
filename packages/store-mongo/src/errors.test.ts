import { IntermodalError } from "@intermodal/core/ports";
import {
  MongoBulkWriteError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
  type WriteError,
} from "mongodb";
import { describe, expect, it } from "vitest";
import {
  asIntermodal,
  bulkFailure,
  isAnswer,
  isDuplicate,
  isIndexConflict,
  isLostUpsert,
  notEncoded,
  writeRefused,
} from "./errors.ts";

const refusal = (code: number, message = "no", ...errorLabels: string[]) =>
  new MongoServerError({ message, code, errmsg: message, errorLabels });
/** No server in time, of a topology of this type. */
const noServer = (type: string) => new MongoServerSelectionError("none", { type, servers: new Map() } as never);

describe("asIntermodal", () => {
  it.each([
    ["credentials refused", refusal(18), "CONFIG_INVALID", false],
    ["not allowed", refusal(13), "CONFIG_INVALID", false],
    ["no such command", refusal(59), "CONFIG_INVALID", false],
    ["too large", refusal(10334), "PAYLOAD_TOO_LARGE", false],
    ["grown too large", refusal(17419), "PAYLOAD_TOO_LARGE", false],
    ["replaced by one too large", refusal(17420), "PAYLOAD_TOO_LARGE", false],
    [
      "too large for DocumentDB",
      refusal(285999133, "Size 17825831 is larger than MaxDocumentSize 16777216"),
      "PAYLOAD_TOO_LARGE",
      false,
    ],
    [
      "too large to be sent",
      new MongoInvalidArgumentError("Document is larger than the maximum size 16777216"),
      "PAYLOAD_TOO_LARGE",
      false,
    ],
    ["over quota", refusal(8000), "UNAVAILABLE", false],
    ["writes are blocked", refusal(371), "UNAVAILABLE", false],
    ["a bad value", refusal(2), "UNAVAILABLE", false],
    ["shutting down", refusal(91), "UNAVAILABLE", true],
    ["out of time", refusal(50), "UNAVAILABLE", true],
    ["a router lost it", refusal(6), "UNAVAILABLE", true],
    ["held by too few in time", refusal(64), "UNAVAILABLE", true],
    ["to be repeated, by the server's word", refusal(8000, "no", "RetryableWriteError"), "UNAVAILABLE", true],
    ["nothing written, by the server's word", refusal(11602, "no", "NoWritesPerformed"), "UNAVAILABLE", false],
    [
      "done, and then not replicated",
      new MongoWriteConcernError({ ok: 1, writeConcernError: { code: 8000, errmsg: "no" } } as never),
      "UNAVAILABLE",
      true,
    ],
    ["no server", noServer("Single"), "UNAVAILABLE", false],
    ["no server, maybe for the second try", noServer("ReplicaSetNoPrimary"), "UNAVAILABLE", true],
    ["disk full", refusal(14031), "UNAVAILABLE", false],
    ["no majority", refusal(100), "UNAVAILABLE", true],
    ["stepping down", refusal(11602), "UNAVAILABLE", true],
    ["a fault of the server's", refusal(1), "UNAVAILABLE", true],
    ["the answer was lost", new MongoNetworkError("read ECONNRESET"), "UNAVAILABLE", true],
    ["no answer in time", new MongoNetworkTimeoutError("timed out"), "UNAVAILABLE", true],
    ["the client was closed", new MongoNotConnectedError("closed"), "CLOSED", false],
    ["more than a document holds", new RangeError("offset"), "PAYLOAD_TOO_LARGE", false],
    ["what nobody knows", new Error("odd"), "UNAVAILABLE", true],
  ])("%s", (_, error, code, unknown) => {
    const mapped = asIntermodal("append", error);
    expect([mapped.code, mapped.unknown]).toEqual([code, unknown]);
    expect(mapped.message).toMatch(/^append: /);
  });

  it("what was never sent is known not to have happened", () => {
    const error = new MongoNetworkError("connect ECONNREFUSED");
    error.addErrorLabel("HandshakeError");
    expect(asIntermodal("append", error)).toMatchObject({ code: "UNAVAILABLE", unknown: false });
  });

  it("leaves errors of the SDK as they are", () => {
    const error = new IntermodalError("CLOSED", "closed");
    expect(asIntermodal("read", error)).toBe(error);
  });

  it("tells neither credentials nor payloads", () => {
    const quoted = asIntermodal(
      "mongo()",
      new MongoParseError('Invalid connection string "mongodb://u:s3cret/x@host"'),
    );
    const answered = asIntermodal("read", refusal(1, "mongodb://u:s3cret@host said no"));
    const hung = asIntermodal("read", Object.assign(new MongoNetworkError("x"), { command: { key: "s3cret" } }));
    for (const error of [quoted, answered, hung]) {
      const { message, stack, cause } = error;
      expect(
        JSON.stringify({ message, stack, cause, told: String(cause), more: { ...(cause as object) } }),
      ).not.toContain("s3cret");
    }
    expect(quoted.code).toBe("CONFIG_INVALID");
  });
});

describe("bulkFailure", () => {
  const bulk = (error: unknown, insertedCount = 0, writeConcernError?: object) =>
    new MongoBulkWriteError(
      error as MongoServerError,
      { insertedCount, matchedCount: 0, getWriteConcernError: () => writeConcernError } as never,
    );
  const writeErrors = (...codes: number[]) => ({
    message: "no",
    code: codes[0],
    writeErrors: codes.map((code, index) => ({ code, index, errmsg: `no ${code}` })),
  });

  it.each([
    ["nothing was sent", bulk(noServer("Single")), "UNAVAILABLE", false],
    ["the second of two commands was not sent", bulk(noServer("Single"), 1), "UNAVAILABLE", true],
    ["a refusal", bulk(refusal(371)), "UNAVAILABLE", false],
    ["a refusal of the second of two commands", bulk(refusal(371), 1), "UNAVAILABLE", true],
    ["one is too large, after one that was there", bulk(writeErrors(11000, 10334)), "PAYLOAD_TOO_LARGE", false],
    ["the answer was lost", bulk(new MongoNetworkError("read ECONNRESET")), "UNAVAILABLE", true],
    ["not held by a majority", bulk({ message: "no", code: 64 }, 1, {}), "UNAVAILABLE", true],
  ])("%s", (_, error, code, unknown) => {
    expect(bulkFailure("append", error)).toMatchObject({ code, unknown });
  });
});

it("an answer of the server's is told from its silence", () => {
  const bulk = (error: Error) =>
    bulkFailure("append", new MongoBulkWriteError(error, { getWriteConcernError: () => undefined } as never));
  const timedOut = new MongoNetworkTimeoutError("timed out");
  const answers = [refusal(14031), refusal(91), refusal(18)].map((error) => asIntermodal("append", error));
  answers.push(bulk(refusal(8000)), writeRefused("append", { code: 14031 } as WriteError));
  expect(answers.map(isAnswer)).toEqual([true, true, false, true, true]);
  const silences = [noServer("Single"), timedOut, new Error("odd")].map((error) => asIntermodal("append", error));
  silences.push(bulk(timedOut), bulk(noServer("Single")), new IntermodalError("UNAVAILABLE", "no answer in time"));
  expect(silences.map(isAnswer)).toEqual(silences.map(() => false));
});

it("what cannot be put into a document is told as that", () => {
  const cases = [new TypeError("x"), new MongoInvalidArgumentError("x"), new IntermodalError("NOT_SERIALIZABLE", "x")];
  for (const error of cases) expect(notEncoded("write", error)).toMatchObject({ code: "NOT_SERIALIZABLE" });
  expect(notEncoded("write", new RangeError("offset"))).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
});

it("races are told apart", () => {
  expect([isDuplicate(refusal(11000)), isDuplicate(refusal(1))]).toEqual([true, false]);
  const sql = 'duplicate key value violates unique constraint "documents_1_pkey"';
  expect([isDuplicate(refusal(1, sql)), isDuplicate({ index: 0, code: 1, errmsg: sql })]).toEqual([true, true]);
  expect([isIndexConflict(refusal(85)), isIndexConflict(refusal(86)), isIndexConflict(refusal(1))]).toEqual([
    true,
    true,
    false,
  ]);
  const forgotten = refusal(9, "The $$NOW operator cannot be used within this specific context.");
  expect([isLostUpsert(refusal(11000)), isLostUpsert(forgotten), isLostUpsert(refusal(9))]).toEqual([
    true,
    true,
    false,
  ]);
});
