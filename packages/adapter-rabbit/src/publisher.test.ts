import { type BatchError, IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import { describe, expect, test } from "vitest";
import { stage } from "./publisher-fixture.ts";

const TOO_LARGE = "PRECONDITION_FAILED - message size 1000 is larger than configured max size 500";

/** What became of a batch, item by item. */
async function fates(sending: Promise<void>, count: number): Promise<string[]> {
  const told = (error: IntermodalError | undefined) =>
    error === undefined ? "taken" : `${error.code}${error.unknown ? " unknown" : ""}`;
  try {
    await sending;
    return new Array(count).fill("taken");
  } catch (error) {
    if (!isIntermodalError(error)) throw error;
    if ("failures" in error) return (error as BatchError).failures.map(told);
    return new Array(count).fill(told(error));
  }
}

describe("publishing", () => {
  test("declares what is needed once, and resolves with the last confirmation", async () => {
    const s = stage();
    let done = false;
    const sending = s.send(["a", "b", "c"]).then(() => {
      done = true;
    });
    await s.clock.settle();
    expect([s.channel.ids, s.declarations]).toEqual([["a", "b", "c"], ["queue"]]);
    s.channel.confirm(2);
    s.channel.confirm(1);
    await s.clock.settle();
    expect(done).toBe(false);
    s.channel.confirm(3);
    await sending;
    const more = s.send(["d", "e"]);
    s.channel.confirm(5, true);
    await more;
    expect(s.declarations).toEqual(["queue"]);
  });

  test("has a bounded number unconfirmed", async () => {
    const s = stage();
    const all = fates(s.send(Array.from({ length: 600 }, (_, at) => `m${at}`)), 1);
    await s.clock.settle();
    expect(s.channel.ids.length).toBe(512);
    s.channel.confirm(512, true);
    expect(s.channel.ids.length).toBe(600);
    s.channel.confirm(600, true);
    expect(await all).toEqual(["taken"]);
  });

  test("a message that found no queue goes once more with another, then is unroutable", async () => {
    const s = stage();
    const sending = fates(s.send(["a"]), 1);
    await s.clock.settle();
    for (const tag of [1, 2]) {
      s.channel.giveBack("a", "queue");
      s.channel.confirm(tag);
      await s.clock.settle();
    }
    expect(await sending).toEqual(["UNROUTABLE"]);
    expect(s.declarations).toEqual(["queue", "queue"]);
  });

  test("a delay is what is left of it when it is written", async () => {
    const s = stage();
    s.refuse(new Error("connect ECONNREFUSED"));
    void fates(s.send(["a"], { dueAt: s.clock.now() + 5_000 }), 1);
    await s.clock.advance(1_000);
    s.refuse(undefined);
    await s.clock.advance(2_500);
    const [{ expiration } = { expiration: undefined }] = s.channel.published;
    expect(Number(expiration)).toBeGreaterThan(1_000);
    expect(Number(expiration)).toBeLessThanOrEqual(4_000);
  });
});

describe("when the connection goes", () => {
  test("what was written is unknown, what was not is written when it is back", async () => {
    const s = stage();
    const written = fates(s.send(["a"]), 1);
    await s.clock.settle();
    s.refuse(new Error("connect ECONNREFUSED"));
    s.channel.emit("close");
    s.model.emit("close", new Error("read ECONNRESET"));
    expect(await written).toEqual(["UNAVAILABLE unknown"]);
    const waiting = fates(s.send(["b"]), 1);
    await s.clock.advance(2_000);
    s.refuse(undefined);
    await s.clock.advance(3_000);
    expect(s.channel.ids).toEqual(["b"]);
    s.channel.confirm(1);
    expect(await waiting).toEqual(["taken"]);
  });

  test("whoever waits too long gives up, and says whether the message may be there", async () => {
    const s = stage();
    const written = fates(s.send(["a"]), 1);
    await s.clock.advance(10_000);
    expect(await written).toEqual(["UNAVAILABLE unknown"]);
    s.refuse(new Error("connect ECONNREFUSED"));
    s.model.emit("close", new Error("read ECONNRESET"));
    const unwritten = fates(s.send(["b"]), 1);
    await s.clock.advance(10_000);
    expect(await unwritten).toEqual(["UNAVAILABLE"]);
  });

  test("a channel that does not answer is given up, and what nobody may give up on goes over the next one", async () => {
    const s = stage();
    const stuck = fates(s.send(["a"]), 1);
    let replaced = false;
    const copy = s
      .replace("copy", () => false)
      .then(
        () => {
          replaced = true;
        },
        (error: IntermodalError) => error.code,
      );
    await s.clock.advance(5_000);
    const [silent] = s.model.channels;
    await s.clock.advance(5_000);
    expect(await stuck).toEqual(["UNAVAILABLE unknown"]);
    const next = fates(s.send(["b"]), 1);
    await s.clock.settle();
    expect([s.model.channels.length, s.channel.ids]).toEqual([2, ["b"]]);
    s.channel.confirm(1);
    expect(await next).toEqual(["taken"]);
    await s.clock.advance(10_000);
    expect([silent?.isClosed, replaced, await copy]).toEqual([true, false, "UNAVAILABLE"]);
  });

  test("what can't be cured is told at once", async () => {
    const s = stage();
    s.refuse(new IntermodalError("CONFIG_INVALID", "wrong password"));
    expect(await fates(s.send(["a"]), 1)).toEqual(["CONFIG_INVALID"]);
  });

  test("closing ends every send", async () => {
    const s = stage();
    const written = fates(s.send(["a"]), 1);
    await s.clock.settle();
    await s.publisher.close();
    expect(await written).toEqual(["CLOSED unknown"]);
    expect(await fates(s.send(["b"]), 1)).toEqual(["CLOSED"]);
  });
});

describe("what the broker refuses", () => {
  test("a message that is too large costs nobody else: what was not answered is written again", async () => {
    const s = stage();
    const sending = fates(s.send(["a", "b", "large", "c", "d"]), 5);
    await s.clock.settle();
    s.channel.confirm(1);
    s.channel.fail(TOO_LARGE);
    await s.clock.settle();
    expect(s.channel.ids).toEqual(["b", "c", "d"]);
    s.channel.confirm(3, true);
    expect(await sending).toEqual(["taken", "taken", "PAYLOAD_TOO_LARGE", "taken", "taken"]);
    expect(s.limits).toEqual([500]);
  });

  test("a limit that was told is forgotten with the connection: the broker may have been given another", async () => {
    const s = stage();
    const refused = fates(s.send(["large"]), 1);
    await s.clock.settle();
    s.channel.fail(TOO_LARGE);
    expect(await refused).toEqual(["PAYLOAD_TOO_LARGE"]);
    await s.clock.settle();
    s.channel.emit("close");
    s.model.emit("close", new Error("read ECONNRESET"));
    const again = fates(s.send(["large"]), 1);
    await s.clock.advance(3_000);
    expect(s.channel.ids).toEqual(["large"]);
    s.channel.confirm(1);
    expect(await again).toEqual(["taken"]);
    expect(s.limits).toEqual([500, undefined]);
  });

  test("what is longer than the broker has said it takes is not written any more", async () => {
    const s = stage();
    const sending = fates(s.send(["large", "a", "large"]), 3);
    await s.clock.settle();
    s.channel.fail(TOO_LARGE);
    await s.clock.settle();
    expect(s.channel.ids).toEqual(["a"]);
    s.channel.confirm(1);
    expect(await sending).toEqual(["PAYLOAD_TOO_LARGE", "taken", "PAYLOAD_TOO_LARGE"]);
    expect(await fates(s.send(["large"]), 1)).toEqual(["PAYLOAD_TOO_LARGE"]);
    expect(s.model.channels.length).toBe(2);
  });

  test("what may be there already and can't be written again is unknown", async () => {
    const s = stage();
    const sending = fates(s.send(["taken", "a", "large", "b"]), 4);
    await s.clock.settle();
    s.channel.confirm(1);
    s.refuse(new Error("connect ECONNREFUSED"));
    s.channel.fail(TOO_LARGE);
    s.model.emit("close", new Error("read ECONNRESET"));
    await s.clock.advance(10_000);
    expect(await sending).toEqual(["taken", "UNAVAILABLE unknown", "PAYLOAD_TOO_LARGE", "UNAVAILABLE"]);
  });

  test("a refusal that fits none of the messages is everybody's", async () => {
    const s = stage();
    const sending = fates(s.send(["a", "b"]), 2);
    await s.clock.settle();
    s.channel.fail(TOO_LARGE);
    expect(await sending).toEqual(["UNAVAILABLE unknown", "UNAVAILABLE unknown"]);
  });

  test("in an alarm what is not confirmed soon fails, and new messages at once", async () => {
    const s = stage();
    const [confirmed, stuck] = [fates(s.send(["a"]), 1), fates(s.send(["b"]), 1)];
    await s.clock.settle();
    s.model.emit("blocked", "low on memory");
    s.channel.confirm(1);
    expect(await fates(s.send(["c"]), 1)).toEqual(["UNAVAILABLE"]);
    await s.clock.advance(1_000);
    expect([await confirmed, await stuck]).toEqual([["taken"], ["UNAVAILABLE unknown"]]);
    s.model.emit("unblocked");
    const later = fates(s.send(["d"]), 1);
    await s.clock.settle();
    s.channel.confirm(3);
    expect(await later).toEqual(["taken"]);
  });

  test("a refusal may have reached some of the queues", async () => {
    const s = stage();
    const sending = fates(s.send(["a"]), 1);
    await s.clock.settle();
    s.channel.emit("nack", { deliveryTag: 1, multiple: false });
    expect(await sending).toEqual(["UNAVAILABLE unknown"]);
  });
});
