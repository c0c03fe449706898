import { expect, test } from "vitest";
import type { App } from "../app/app.ts";
import { createApp } from "../app/create-app.ts";
import { defineEvent, fixed } from "../contracts/index.ts";
import { IntermodalError, NonRetryableError } from "../errors.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { sleep } from "../ports/clock.ts";
import { ACK } from "../ports/delivery.ts";
import type { Inbox } from "../ports/inbox.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { VirtualClock } from "../testing/index.ts";
import { ListenerInbox } from "./listener-inbox.ts";

const order = defineEvent("order.placed");
const LISTENER = { listener: "l", retry: { maxAttempts: 3, backoff: fixed(1_000) } } as const;
const WINDOW_MS = 3_600_000;

const away = () => Promise.reject(new IntermodalError("UNAVAILABLE", "the store is away"));

/** Replicas of one app over one memory server. */
class Shop {
  readonly clock = new VirtualClock();
  readonly server = new MemoryServer(this.clock);
  /** What nobody but the tests uses. */
  readonly own = this.connect();
  readonly leaseMs = this.own.eventBus.capabilities.leaseMs;
  readonly runs: string[] = [];
  running = 0;
  /** How many handlers were at it at once. */
  most = 0;
  #messages = 0;

  connect(): MemoryAdapter {
    return new MemoryAdapter(this.server, { namespace: "test", clock: this.clock, logger: silentLogger });
  }

  /** Its bus and its store are connected apart. */
  async replica(
    handle: (id: string, attempt: number) => unknown,
    { inbox = {}, concurrency = 10 }: { inbox?: Partial<Inbox>; concurrency?: number } = {},
  ): Promise<{ readonly app: App; readonly bus: MemoryAdapter }> {
    const bus = this.connect();
    const { commandBus, eventBus } = bus;
    const ports = { commandBus, eventBus, inbox: withMethods<Inbox>(this.connect().inbox, inbox) };
    const { clock } = this;
    const app = createApp({ name: "shop", clock, logger: silentLogger, ports, inboxWindowMs: WINDOW_MS });
    app.on(order, { ...LISTENER, concurrency }, async ({ id }, ctx) => {
      this.runs.push(`${id} ${ctx.attempt}`);
      this.most = Math.max(this.most, ++this.running);
      try {
        await handle(id, ctx.attempt);
      } finally {
        this.running--;
      }
    });
    await app.start();
    return { app, bus };
  }

  /** Messages of their own, which no bus takes for one. */
  async publish(...ids: readonly string[]): Promise<void> {
    const bodyOf = (id: string) =>
      new TextEncoder().encode(JSON.stringify({ event_type: order.name, event_version: "1.0", event_id: id }));
    const messages = ids.map((id) => ({ id: `message-${++this.#messages}`, type: order.name, body: bodyOf(id) }));
    await this.own.eventBus.publish(messages);
  }

  async inspect() {
    const { pending, inFlight, delayed, dead } = await this.own.eventBus.inspect({ service: "shop", listener: "l" });
    return { left: pending + (inFlight ?? 0) + (delayed ?? 0), dead };
  }

  reserveElsewhere(id: string) {
    return this.own.inbox.reserve("shop/l", id, { node: "elsewhere", leaseMs: 1 });
  }
}

const DONE = { left: 0, dead: 0 };

test("copies of an event in one process are handled once, not at once", async () => {
  const shop = new Shop();
  const { app } = await shop.replica(() => sleep(shop.clock, 100));
  await shop.publish("x", "x", "x");
  await shop.clock.advance(60_000);
  expect(shop.runs).toEqual(["x 1"]);
  expect(await shop.inspect()).toEqual(DONE);
  await app.stop();
});

test("the failure of one copy takes nothing from the next", async () => {
  const shop = new Shop();
  let failures = 0;
  const handle = async () => {
    await sleep(shop.clock, 8_000);
    if (failures++ === 0) throw new Error("once");
  };
  const apps = [await shop.replica(handle), await shop.replica(handle)];
  await shop.publish("x", "x", "x", "x");
  await shop.clock.advance(120_000);
  expect({ runs: shop.runs.length, most: shop.most }).toEqual({ runs: 2, most: 1 });
  expect(await shop.inspect()).toEqual(DONE);
  for (const { app } of apps) await app.stop();
});

test("a message that comes again to the process that still handles it waits until that is done", async () => {
  const shop = new Shop();
  const { app, bus } = await shop.replica(() => sleep(shop.clock, 60_000));
  await shop.publish("x");
  await shop.clock.advance(1_000);
  bus.connection.cut();
  await shop.clock.advance(2 * shop.leaseMs);
  bus.connection.mend();
  await shop.clock.advance(300_000);
  expect(shop.runs).toEqual(["x 1"]);
  expect(await shop.inspect()).toEqual(DONE);
  await app.stop();
});

test("an event belongs to one process for as long as its handler runs", async () => {
  const shop = new Shop();
  const handle = () => sleep(shop.clock, 3.5 * shop.leaseMs);
  const apps = [await shop.replica(handle, { concurrency: 1 }), await shop.replica(handle, { concurrency: 1 })];
  await shop.publish("x", "x");
  await shop.clock.advance(10 * shop.leaseMs);
  expect(shop.runs).toEqual(["x 1"]);
  expect(await shop.inspect()).toEqual(DONE);
  for (const { app } of apps) await app.stop();
});

test("renewals that are slow, in vain or refused don't disturb the handler, and go out one at a time", async () => {
  const shop = new Shop();
  let [calls, underWay, most] = [0, 0, 0];
  const { app } = await shop.replica(() => sleep(shop.clock, 5 * shop.leaseMs), {
    inbox: {
      async reserve(listener, id, options) {
        if (calls++ === 0) return shop.own.inbox.reserve(listener, id, options);
        most = Math.max(most, ++underWay);
        await sleep(shop.clock, shop.leaseMs);
        underWay--;
        return calls % 2 === 0 ? "busy" : away();
      },
    },
  });
  await shop.publish("x");
  await shop.clock.advance(5 * shop.leaseMs);
  expect({ runs: shop.runs, inspection: await shop.inspect(), most }).toEqual({
    runs: ["x 1"],
    inspection: DONE,
    most: 1,
  });
  expect(calls).toBeGreaterThan(3);
  expect(await shop.reserveElsewhere("x")).toBe("completed");
  const before = calls;
  await shop.clock.advance(10 * shop.leaseMs);
  expect(calls).toBe(before);
  await app.stop();
});

test("a renewal on its way does not outlive the release", async () => {
  const shop = new Shop();
  let calls = 0;
  const handle = async () => {
    await sleep(shop.clock, shop.leaseMs / 3 + 1_000);
    throw new NonRetryableError("never");
  };
  const { app } = await shop.replica(handle, {
    inbox: {
      async reserve(...ask) {
        if (calls++ > 0) await sleep(shop.clock, 3_000);
        return shop.own.inbox.reserve(...ask);
      },
    },
  });
  await shop.publish("x");
  await shop.clock.advance(shop.leaseMs / 3 + 3_500);
  expect(await shop.inspect()).toEqual({ left: 0, dead: 1 });
  expect(await shop.reserveElsewhere("x")).toBe("reserved");
  await app.stop();
});

test("a release in vain changes nothing about what becomes of the event", async () => {
  for (const release of [away, () => Promise.reject(new Error("what no adapter should throw"))]) {
    const shop = new Shop();
    const handle = (id: string) => {
      throw id === "dead" ? new NonRetryableError("never") : new Error("not now");
    };
    const { app } = await shop.replica(handle, { inbox: { release } });
    await shop.publish("dead", "tried");
    await shop.clock.advance(30_000);
    expect(shop.runs).toEqual(["dead 1", "tried 1", "tried 2", "tried 3"]);
    expect(await shop.inspect()).toEqual({ left: 0, dead: 2 });
    await app.stop();
  }
});

test("a completion in vain is tried again where it stands", async () => {
  const shop = new Shop();
  let failures = 0;
  const { app } = await shop.replica(() => {}, {
    inbox: {
      complete: (...ask) => (failures++ < 3 ? away() : shop.own.inbox.complete(...ask)),
    },
  });
  await shop.publish("x");
  await shop.clock.advance(shop.leaseMs / 2);
  expect(shop.runs).toEqual(["x 1"]);
  expect(await shop.inspect()).toEqual(DONE);
  expect(await shop.reserveElsewhere("x")).toBe("completed");
  await app.stop();
});

for (const code of ["UNAVAILABLE", "CONFIG_INVALID"] as const) {
  test(`a handler that has ended does not run again for a completion that is ${code} for long, nor keeps its place`, async () => {
    const shop = new Shop();
    let isAway = true;
    const { app } = await shop.replica(() => {}, {
      concurrency: 1,
      inbox: {
        complete: (listener, id, options) =>
          isAway && id === "x"
            ? Promise.reject(new IntermodalError(code, "the store is away"))
            : shop.own.inbox.complete(listener, id, options),
      },
    });
    await shop.publish("x", "y", "x");
    await shop.clock.advance(10 * shop.leaseMs);
    expect(shop.runs).toEqual(["x 1", "y 1"]);
    expect((await shop.inspect()).left).toBe(2);
    isAway = false;
    await shop.clock.advance(2 * shop.leaseMs);
    expect(shop.runs).toEqual(["x 1", "y 1"]);
    expect(await shop.inspect()).toEqual(DONE);
    expect(await shop.reserveElsewhere("x")).toBe("completed");
    // From then on it is remembered by the store alone, and no longer for its copies.
    await shop.clock.advance(WINDOW_MS / 2);
    await shop.publish("x");
    await shop.clock.advance(WINDOW_MS / 2);
    expect(shop.runs).toEqual(["x 1", "y 1"]);
    await shop.publish("x");
    await shop.clock.advance(1_000);
    expect(shop.runs).toEqual(["x 1", "y 1", "x 1"]);
    await app.stop();
  });
}

test("a store that is slow to say that it is away keeps no event for much longer than a lease", async () => {
  const shop = new Shop();
  const { app } = await shop.replica(() => {}, {
    concurrency: 1,
    inbox: {
      async complete(listener, id, options) {
        if (id === "y") return shop.own.inbox.complete(listener, id, options);
        await sleep(shop.clock, shop.leaseMs / 2);
        return away();
      },
    },
  });
  await shop.publish("x", "y");
  await shop.clock.advance(1.5 * shop.leaseMs);
  expect(shop.runs).toEqual(["x 1", "y 1"]);
  const stopping = app.stop({ timeoutMs: 0 });
  await shop.clock.advance(2 * shop.leaseMs);
  await stopping;
});

test("a completion that is owed is not remembered for longer than one that was recorded", async () => {
  const shop = new Shop();
  const { app } = await shop.replica(() => {}, { inbox: { complete: away } });
  await shop.publish("x");
  await shop.clock.advance(WINDOW_MS - shop.leaseMs);
  expect(shop.runs).toEqual(["x 1"]);
  await shop.clock.advance(3 * shop.leaseMs);
  expect(shop.runs).toEqual(["x 1", "x 1"]);
  await app.stop({ timeoutMs: 0 });
});

test("a completion that fails for good ends as a dead letter", async () => {
  const shop = new Shop();
  const { app } = await shop.replica(() => {}, {
    inbox: { complete: () => Promise.reject(new Error("what no adapter should throw")) },
  });
  await shop.publish("x");
  await shop.clock.advance(10 * shop.leaseMs);
  expect(shop.runs).toEqual(["x 1", "x 2", "x 3"]);
  expect(await shop.inspect()).toEqual({ left: 0, dead: 1 });
  await app.stop();
});

test("of the completions that are owed only so many are remembered, those owed for longest not", async () => {
  const { clock, own } = new Shop();
  const inbox = withMethods<Inbox>(own.inbox, {
    complete: () => Promise.reject(new IntermodalError("CLOSED", "closed")),
  });
  const options = {
    inbox,
    place: "shop/l",
    leaseMs: 1_000,
    windowMs: WINDOW_MS,
    node: "n",
    clock,
    logger: silentLogger,
  };
  const listener = new ListenerInbox(options);
  const runs: string[] = [];
  const handle = (id: string) =>
    listener.once(id, async () => {
      runs.push(id);
      return ACK;
    });
  for (let n = 0; n <= 10_000; n++) await handle(`${n}`);
  runs.length = 0;
  for (const id of ["1", "10000", "0"]) await handle(id);
  expect(runs).toEqual(["0"]);
});
