import { VirtualClock } from "@intermodal/core/testing";
import type { Msg, MsgCallback, NatsConnection, Subscription } from "@nats-io/transport-node";
import { beforeEach, describe, expect, test } from "vitest";
import { Requests } from "./requests.ts";

/** As much of a client as requests use. */
class FakeClient {
  readonly written: { readonly subject: string; readonly reply: string }[] = [];
  #callback: MsgCallback<Msg> = () => {};

  subscribe(_subject: string, { callback }: { callback: MsgCallback<Msg> }): Subscription {
    this.#callback = callback;
    return { unsubscribe() {} } as Subscription;
  }

  publish(subject: string, _payload: Uint8Array, { reply }: { reply: string }): void {
    if (subject === "too-long") throw new Error("max_payload size exceeded");
    this.written.push({ subject, reply });
  }

  isClosed(): boolean {
    return false;
  }

  answer(at: number, rest: object = {}): void {
    void this.#callback(null, { subject: this.written[at]?.reply, data: new Uint8Array(), ...rest } as Msg);
  }

  /** What a server answers in place of one who listens. */
  answerNobody(at: number): void {
    this.answer(at, { headers: { code: 503 } });
  }

  get it(): NatsConnection {
    return this as unknown as NatsConnection;
  }
}

describe("requests", () => {
  let clock: VirtualClock;
  let client: FakeClient;
  let requests: Requests;
  beforeEach(() => {
    clock = new VirtualClock();
    client = new FakeClient();
    requests = new Requests(clock);
  });
  const send = (subject: string, inMs = 1_000) =>
    requests.send({ subject, payload: new Uint8Array(), deadline: clock.now() + inMs, what: subject });

  test("each gets its own answer, in any order", async () => {
    requests.up(client.it, undefined);
    const [a, b] = [send("a"), send("b")];
    client.answer(1);
    client.answer(0);
    client.answer(0);
    expect((await a).subject).toBe(client.written[0]?.reply);
    expect((await b).subject).toBe(client.written[1]?.reply);
  });

  test("what is unanswered when a connection comes back is written again; what is over is not", async () => {
    requests.up(client.it, undefined);
    const [kept, over] = [send("kept"), send("over", 100)];
    over.catch(() => {});
    requests.down();
    const waiting = send("waiting");
    expect(client.written.map(({ subject }) => subject)).toEqual(["kept", "over"]);
    await clock.advance(150);
    requests.up(client.it, undefined);
    expect(client.written.map(({ subject }) => subject)).toEqual(["kept", "over", "kept", "waiting"]);
    client.answer(2);
    client.answer(3);
    await Promise.all([kept, waiting]);
    await clock.advance(200);
    await expect(over).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
  });

  test("what is unanswered for long is written again, since its leader may be gone; what must not be is not", async () => {
    requests.up(client.it, undefined);
    const twice = send("twice", 10_000);
    const once = requests.send({
      subject: "once",
      payload: new Uint8Array(),
      deadline: clock.now() + 10_000,
      what: "once",
      once: true,
    });
    const lost = expect(once).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    await clock.advance(2_500);
    expect(client.written.map(({ subject }) => subject)).toEqual(["twice", "once", "twice"]);
    client.answer(2);
    await twice;
    requests.down();
    requests.up(client.it, undefined);
    await lost;
    expect(client.written).toHaveLength(3);
  });

  test.each([{ once: true }, { once: false }])("what nobody listened to is written again: %o", async ({ once }) => {
    requests.up(client.it, undefined);
    const options = { subject: "a", payload: new Uint8Array(), deadline: clock.now() + 10_000, what: "a", once };
    const heard = requests.send(options);
    for (let written = 1; written <= 3; written++) {
      expect(client.written).toHaveLength(written);
      client.answerNobody(written - 1);
      await clock.advance(250);
    }
    client.answer(3);
    await heard;
  });

  test("what nobody listened to until its time was over certainly had no effect, unless an earlier answer was lost", async () => {
    requests.up(client.it, undefined);
    const never = expect(send("never")).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
    client.answerNobody(0);
    for (let at = 1; at < 6; at++) {
      await clock.advance(200);
      if (at < client.written.length) client.answerNobody(at);
    }
    await never;
    const lost = expect(send("lost", 2_300)).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    await clock.advance(2_100);
    client.answerNobody(client.written.length - 1);
    await clock.advance(400);
    await lost;
  });

  test("who asks for it is told that nobody listens, and that something is written again though it may have arrived", async () => {
    requests.up(client.it, undefined);
    let again = 0;
    const onAgain = () => void again++;
    const options = { subject: "a", payload: new Uint8Array(), deadline: clock.now() + 10_000, what: "a", onAgain };
    const told = requests.send({ ...options, orNobody: true });
    await clock.advance(2_500);
    expect(again).toBe(1);
    client.answerNobody(1);
    expect((await told).headers?.code).toBe(503);
    const heard = requests.send(options);
    client.answerNobody(2);
    await clock.advance(250);
    client.answer(3);
    await heard;
    expect(again).toBe(1);
  });

  test("past its time it says whether it may have arrived", async () => {
    const never = expect(send("never")).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
    await clock.advance(1_300);
    await never;
    requests.up(client.it, undefined);
    const written = expect(send("written")).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: true });
    await clock.advance(1_300);
    await written;
  });

  test("a clock that is set back lets a request wait for at most its time from then on, and fails none early", async () => {
    requests.up(client.it, undefined);
    const over: string[] = [];
    const watch = (name: string) => send(name, 1_000).catch(() => over.push(name));
    void watch("before");
    await clock.advance(500);
    clock.setBack(60_000);
    void watch("after");
    await clock.advance(900);
    expect(over).toEqual([]);
    await clock.advance(500);
    expect(over).toEqual(["before", "after"]);
    expect(clock.nextTimerAt()).toBeUndefined();
  });

  test("a clock that is set back does not keep what is unanswered from being written again", async () => {
    requests.up(client.it, undefined);
    const twice = send("twice", 10_000);
    await clock.advance(500);
    clock.setBack(60_000);
    await clock.advance(2_500);
    expect(client.written).toHaveLength(2);
    client.answer(1);
    await twice;
  });

  test("what the client refuses to write rejects at once", async () => {
    requests.up(client.it, undefined);
    await expect(send("too-long")).rejects.toThrow("max_payload");
  });

  test("the end rejects all, what is sent after it too", async () => {
    const waiting = expect(send("a")).rejects.toThrow("over: a");
    requests.end((what) => new Error(`over: ${what}`));
    await waiting;
    await expect(send("b")).rejects.toThrow("over: b");
    expect(clock.nextTimerAt()).toBeDefined();
    await clock.advance(200);
    expect(clock.nextTimerAt()).toBeUndefined();
  });
});
