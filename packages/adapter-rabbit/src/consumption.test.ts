import { EventEmitter } from "node:events";
import { ACK, type DeliveryHandler, silentLogger } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { describe, expect, test } from "vitest";
import { Client } from "./client.ts";
import { RabbitCommandBus } from "./command-bus.ts";
import { Connection } from "./connection.ts";
import { Declared } from "./declared.ts";
import { message } from "./message-fixture.ts";
import { Mutex } from "./mutex.ts";

/** What a broker does in place of answering that a consumer is made. */
type Mishap = "deletes the queue" | "drops the connection";

/** A broker that has every queue, and nothing in any. */
class FakeBroker {
  readonly open = new Set<FakeChannel>();
  /** The channels with a consumer. */
  readonly consuming = new Set<FakeChannel>();
  /** Of the next consumers, one each. */
  readonly mishaps: Mishap[] = [];
  /** What happens before whoever opens a channel learns that it is open. */
  onOpening = async (_model: FakeModel): Promise<void> => {};
}

class FakeModel extends EventEmitter {
  readonly connection = { serverProperties: { product: "RabbitMQ", version: "4.3.6" } };
  readonly #broker: FakeBroker;
  readonly #channels: FakeChannel[] = [];

  constructor(broker: FakeBroker) {
    super();
    this.#broker = broker;
  }

  async createChannel(): Promise<FakeChannel> {
    const channel = new FakeChannel(this.#broker, this);
    this.#channels.push(channel);
    await this.#broker.onOpening(this);
    return channel;
  }

  createConfirmChannel(): Promise<FakeChannel> {
    return this.createChannel();
  }

  drop(): void {
    for (const channel of this.#channels) channel.end();
    this.emit("close", new Error("read ECONNRESET"));
  }

  async close(): Promise<void> {}
}

class FakeChannel extends EventEmitter {
  readonly #broker: FakeBroker;
  readonly model: FakeModel;
  deliver: (message: ConsumeMessage) => void = () => {};
  #isOpen = true;

  constructor(broker: FakeBroker, model: FakeModel) {
    super();
    this.#broker = broker;
    this.model = model;
    broker.open.add(this);
  }

  async consume(_queue: string, deliver: (message: ConsumeMessage) => void): Promise<{ consumerTag: string }> {
    const mishap = this.#broker.mishaps.shift();
    if (mishap === "deletes the queue") this.end();
    else if (mishap === "drops the connection") this.model.drop();
    // As with the driver, the event comes before whoever waits for the answer learns of it.
    await this.#answer();
    this.#broker.consuming.add(this);
    this.deliver = deliver;
    return { consumerTag: "tag" };
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#broker.open.delete(this);
    this.#broker.consuming.delete(this);
    this.emit("close");
  }

  async close(): Promise<void> {
    this.end();
  }

  ack(): void {}
  prefetch = () => this.#answer();
  cancel = () => this.#answer();
  checkQueue = () => this.#answer();
  assertQueue = () => this.#answer();
  assertExchange = () => this.#answer();
  bindQueue = () => this.#answer();

  async #answer(): Promise<void> {
    if (!this.#isOpen) throw new Error("Channel ended, no reply will be forthcoming");
  }
}

/** Workers over a fake broker, in virtual time; over connections of the application's unless they are the adapter's `own`. */
function stage({ own = true } = {}) {
  const clock = new VirtualClock();
  const broker = new FakeBroker();
  const connect = (server: string) =>
    new Connection({
      server,
      open: async () => new FakeModel(broker) as unknown as ChannelModel,
      own,
      clock,
      logger: silentLogger,
    });
  const [publishing, consuming] = [connect("the fake (publishing)"), connect("the fake (consuming)")];
  const client = new Client({
    connections: { publishing, consuming, declared: new Declared(clock), reading: new Mutex() },
    namespace: "test",
    clock,
    logger: silentLogger,
    sendTimeoutMs: 10_000,
    leaseMs: 15_000,
    maxPayloadBytes: 1_000,
  });
  const bus = new RabbitCommandBus(client);
  return {
    clock,
    broker,
    work: (handle: DeliveryHandler = async () => ACK, concurrency = 5) => bus.work("queue", { concurrency }, handle),
    async close() {
      await client.close();
      await Promise.all([publishing.close(), consuming.close()]);
    },
  };
}

/** Far longer than a consumer takes to be made again. */
const A_WHILE_MS = 10_000;

describe("a consumer", () => {
  test.each<Mishap>(["deletes the queue", "drops the connection"])(
    "is made again once, where the broker %s while it is being made",
    async (mishap) => {
      const { clock, broker, work } = stage();
      broker.mishaps.push(mishap, mishap);
      const working = work();
      await clock.advance(A_WHILE_MS);
      const consumption = await working;
      expect([broker.mishaps.length, broker.consuming.size]).toEqual([0, 1]);
      await consumption.close();
      expect(broker.consuming.size).toBe(0);
    },
  );

  test("is made again each time it is lost", async () => {
    const { clock, broker, work } = stage();
    const consumption = await work();
    for (let time = 1; time <= 3; time++) {
      const [lost] = broker.consuming;
      lost?.end();
      expect(broker.consuming.size).toBe(0);
      await clock.advance(A_WHILE_MS);
      expect(broker.consuming.size).toBe(1);
    }
    await consumption.close();
    expect(broker.consuming.size).toBe(0);
  });

  test("is made again where the connection is lost as any of its channels opens, and what was held before takes every slot", async () => {
    const dropped = await untilNone(async (which) => {
      const { clock, broker, work } = stage();
      const handled = Promise.withResolvers<void>();
      const consumption = await work(() => handled.promise.then(() => ACK), 1);
      const [first] = broker.consuming;
      first?.deliver(message({}));
      let openings = 0;
      broker.onOpening = async (model) => {
        if (++openings === which) model.drop();
      };
      first?.model.drop();
      await clock.advance(A_WHILE_MS);
      handled.resolve();
      await clock.advance(A_WHILE_MS);
      expect([which, broker.consuming.size]).toEqual([which, 1]);
      await consumption.close();
      return openings >= which;
    });
    expect(dropped).toBeGreaterThan(1);
  });

  test("leaves nothing on a connection of the application's, whichever of its channels opens as the adapter is closed", async () => {
    const closed = await untilNone(async (which) => {
      const { clock, broker, work, close } = stage({ own: false });
      let openings = 0;
      broker.onOpening = async () => {
        if (++openings === which) await close();
      };
      const working = work().catch(() => {});
      await clock.advance(A_WHILE_MS);
      await working;
      if (openings < which) return false;
      expect([which, broker.open.size]).toEqual([which, 0]);
      return true;
    });
    expect(closed).toBeGreaterThan(1);
  });
});

/** Tries the first, the second, … until there is none. @returns how many there were. */
async function untilNone(attempt: (which: number) => Promise<boolean>): Promise<number> {
  let which = 1;
  while (await attempt(which)) which++;
  return which - 1;
}
