import { IntermodalError } from "@intermodal/core/ports";
import {
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
} from "mongodb";
import { describe, expect, it } from "vitest";
import { asIntermodal, isDuplicate, isIndexConflict, isLostUpsert } from "./errors.ts";

const refusal = (code: number, message = "no") => new MongoServerError({ message, code, errmsg: message });

describe("asIntermodal", () => {
  it.each([
    ["credentials refused", refusal(18), "CONFIG_INVALID", false],
    ["not allowed", refusal(13), "CONFIG_INVALID", false],
    ["no such command", refusal(59), "CONFIG_INVALID", false],
    ["too large", refusal(10334), "PAYLOAD_TOO_LARGE", false],
    ["disk full", refusal(14031), "UNAVAILABLE", false],
    ["no majority", refusal(100), "UNAVAILABLE", true],
    ["stepping down", refusal(11602), "UNAVAILABLE", true],
    ["anything else", refusal(1), "UNAVAILABLE", true],
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

it("races are told apart", () => {
  expect([isDuplicate(refusal(11000)), isDuplicate(refusal(1))]).toEqual([true, false]);
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
