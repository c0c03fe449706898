import { connect, type MsgHdrs } from "@nats-io/transport-node";
import { describe, expect, test } from "vitest";
import { parseHeaderBlock } from "./header-block.ts";
import {
  copyOf,
  decodeValue,
  encodeHeaders,
  encodeValue,
  HEADER_ROOM,
  readAckSubject,
  readHeaders,
  type Stored,
} from "./headers.ts";

const FALLBACK = { id: "stream:7", type: "from.subject" };

/** What the client would write. */
function written(stored: Stored): Uint8Array {
  return (encodeHeaders(stored) as MsgHdrs & { encode(): Uint8Array }).encode();
}

function readBack(stored: Stored) {
  return readHeaders(parseHeaderBlock(written(stored)), FALLBACK);
}

describe("headers", () => {
  test.each([
    "plain",
    "task:1:1",
    "50%",
    "%41",
    "~c.q.1",
    " a ",
    "a b",
    "ü → 中",
    "x\r\ny: z",
    "=",
    "\u0000",
    "\u{1f600}",
  ])("carry the id %j", (id) => {
    for (const messageId of [encodeValue(id), "~c.q_work.1"]) {
      const { carried } = readBack({ stream: "S", messageId, carried: { id, type: "t", tries: 0 } });
      expect(carried).toMatchObject({ id, type: "t", tries: 0 });
    }
  });

  test("carry everything else", () => {
    const carried = {
      id: "a",
      type: "book.created",
      sentAt: 1_700_000_000_123,
      tries: 3,
      reason: "no: good\r\nat all %",
      attempts: 4,
    };
    const delay = { delayMs: 1_500, target: "im.n.cmd.q" };
    expect(readBack({ stream: "S", messageId: "~d.q.1", carried, delay })).toEqual({ carried, delay });
  });

  test("of two messages of the adapter's own and of a user's, no two have one message id", () => {
    const ids = ["~c.q.1", "%7Ec.q.1", "~c.q.1 ", "a%", "a%25"];
    const encoded = ids.map(encodeValue);
    expect(new Set(encoded).size).toBe(ids.length);
    expect(encoded.filter((id) => id.startsWith("~"))).toEqual([]);
    expect(encoded.map(decodeValue)).toEqual(ids);
  });

  test("fit into the room that is kept for them, however long what they carry", () => {
    const id = "中".repeat(256);
    const carried = {
      id,
      type: "t".repeat(128),
      sentAt: Date.now(),
      tries: 9_999,
      reason: "中".repeat(100_000),
      attempts: 9_999,
    };
    expect(written({ stream: "s".repeat(150), messageId: encodeValue(id), carried }).length).toBeLessThan(HEADER_ROOM);
    const dead = written({ stream: "s".repeat(150), messageId: "~d.q.1", carried });
    expect(dead.length).toBeLessThan(HEADER_ROOM);
  });

  test("of another publisher: none, or only a message id, which stands as it is", () => {
    expect(readHeaders(undefined, FALLBACK).carried).toMatchObject({ ...FALLBACK, tries: 0 });
    expect(readHeaders([["Nats-Msg-Id", ["50%41"]]], FALLBACK).carried).toMatchObject({
      id: "50%41",
      type: "from.subject",
    });
    expect(readHeaders([["Intermodal-Tries", ["many"]]], FALLBACK).carried.tries).toBe(0);
  });

  test("the client still writes headers by asking them for their bytes", async () => {
    const { MsgHdrsImpl } = (await import("@nats-io/transport-node")) as unknown as {
      MsgHdrsImpl: { prototype: object };
    };
    expect(MsgHdrsImpl.prototype).toHaveProperty("encode");
    expect(connect).toBeTypeOf("function");
  });
});

describe("what a delivery's subject tells", () => {
  test.each([
    "$JS.ACK.im_n_TASKS.q_work.3.42.57.1700000000123456789.5",
    "$JS.ACK.hub.ACCOUNTHASH.im_n_TASKS.q_work.3.42.57.1700000000123456789.5",
    "$JS.ACK._.ACCOUNTHASH.im_n_TASKS.q_work.3.42.57.1700000000123456789.5.token",
  ])("%s", (subject) => {
    expect(readAckSubject(subject)).toEqual({ delivered: 3, sequence: 42, storedAt: 1_700_000_000_123 });
    expect(copyOf(subject)).toBe("42.1700000000123456789");
  });
});
