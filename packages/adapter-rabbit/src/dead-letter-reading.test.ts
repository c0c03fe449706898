import { EventEmitter } from "node:events";
import { VirtualClock } from "@intermodal/core/testing";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Client } from "./client.ts";
import { type Visit, visitDeadLetters } from "./dead-letter-reading.ts";
import { Link } from "./link.ts";
import { message } from "./message-fixture.ts";
import { Mutex } from "./mutex.ts";
import { Names } from "./names.ts";

/** A broker that has some letters, and shows one when a test says so. */
class FakeBroker {
  readonly acked: number[] = [];
  readonly channels: FakeChannel[] = [];
  onMessage: ((message: ConsumeMessage | null) => void) | undefined;
  /** A prefetch is asked for before something is consumed, and once more at the end. */
  onPrefetch = async (): Promise<void> => {};
  ready: number;

  constructor(ready: number) {
    this.ready = ready;
  }

  show(deliveryTag: number): void {
    this.onMessage?.(message({}, { deliveryTag }));
  }
}

class FakeChannel extends EventEmitter {
  readonly #broker: FakeBroker;
  #isOpen = true;

  constructor(broker: FakeBroker) {
    super();
    this.#broker = broker;
    broker.channels.push(this);
  }

  end(): void {
    this.#isOpen = false;
    this.emit("close");
  }

  async close(): Promise<void> {
    this.#assertOpen();
    this.end();
  }

  async checkQueue(): Promise<{ messageCount: number }> {
    this.#assertOpen();
    return { messageCount: this.#broker.ready };
  }

  async prefetch(): Promise<void> {
    this.#assertOpen();
    await this.#broker.onPrefetch();
    this.#assertOpen();
  }

  async consume(_queue: string, onMessage: (message: ConsumeMessage | null) => void): Promise<void> {
    this.#assertOpen();
    this.#broker.onMessage = onMessage;
  }

  ack({ fields }: ConsumeMessage): void {
    this.#assertOpen();
    this.#broker.acked.push(fields.deliveryTag);
  }

  async assertQueue(): Promise<void> {}
  async deleteQueue(): Promise<void> {}

  #assertOpen(): void {
    if (!this.#isOpen) throw new Error("Channel closed");
  }
}

/** So many dead letters, being read in virtual time. */
async function reading(count: number, visit: Visit) {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  onTestFinished(() => void process.off("unhandledRejection", onUnhandled));
  const clock = new VirtualClock();
  const broker = new FakeBroker(count);
  const link = new Link({
    connection: {},
    createChannel: async () => new FakeChannel(broker),
  } as unknown as ChannelModel);
  const client = { options: { clock, connections: { reading: new Mutex() } }, consuming: async () => link };
  let fate: unknown = "still reading";
  visitDeadLetters(client as unknown as Client, new Names("test").queue("queue"), visit).then(
    (taken) => {
      fate = taken;
    },
    (error) => {
      fate = error;
    },
  );
  await clock.settle();
  return {
    broker,
    unhandled,
    lose() {
      link.isLost = true;
      for (const channel of broker.channels) channel.end();
    },
    async fate(): Promise<unknown> {
      await clock.advance(1_000);
      return fate;
    },
  };
}

const UNTOLD = { code: "UNAVAILABLE", unknown: true };

describe("reading dead letters", () => {
  test("takes out what is dealt with, and nothing else", async () => {
    const s = await reading(3, ({ fields }) => fields.deliveryTag !== 2);
    s.broker.ready = 1;
    for (const tag of [1, 2, 3]) s.broker.show(tag);
    expect(await s.fate()).toBe(2);
    expect(s.broker.acked).toEqual([1, 3]);
  });

  test("whose connection is lost before a copy is confirmed waits for it, and tells that nobody knows", async () => {
    const confirmed = Promise.withResolvers<boolean>();
    const s = await reading(2, () => confirmed.promise);
    s.broker.show(1);
    s.lose();
    expect(await s.fate()).toBe("still reading");
    confirmed.resolve(true);
    expect(await s.fate()).toMatchObject(UNTOLD);
    expect(s.unhandled).toEqual([]);
  });

  test("whose queue is deleted takes out what is confirmed later all the same", async () => {
    const confirmed = Promise.withResolvers<boolean>();
    const s = await reading(2, () => confirmed.promise);
    s.broker.ready = 0;
    s.broker.show(1);
    s.broker.onMessage?.(null);
    confirmed.resolve(true);
    expect(await s.fate()).toMatchObject(UNTOLD);
    expect([s.broker.acked, s.unhandled]).toEqual([[1], []]);
  });

  test("of which one fails early takes out the others, and tells its failure", async () => {
    const failure = new Error("not published");
    const s = await reading(2, async ({ fields }) => {
      if (fields.deliveryTag === 1) throw failure;
      return true;
    });
    s.broker.show(1);
    await new Promise(setImmediate);
    expect(s.unhandled).toEqual([]);
    s.broker.ready = 1;
    s.broker.show(2);
    expect(await s.fate()).toMatchObject({ cause: failure });
    expect(s.broker.acked).toEqual([2]);
  });

  test("does not take for gone what was acknowledged to a broker that was lost", async () => {
    const s = await reading(1, () => true);
    const answer = Promise.withResolvers<void>();
    s.broker.onPrefetch = () => answer.promise;
    s.broker.show(1);
    expect([await s.fate(), s.broker.acked]).toEqual(["still reading", [1]]);
    s.lose();
    answer.resolve();
    expect(await s.fate()).toMatchObject(UNTOLD);
  });

  test("that takes nothing out is simply unavailable when its connection is lost", async () => {
    const s = await reading(2, () => false);
    s.broker.show(1);
    s.lose();
    expect(await s.fate()).toMatchObject({ code: "UNAVAILABLE", unknown: false });
  });
});
