import { describe, expect, it } from "vitest";
import { ACK, type Delivery, type DeliveryHandler, type Settlement } from "../ports/delivery.ts";
import { silentLogger } from "../ports/logger.ts";
import { ProcessClock, VirtualClock } from "../testing/virtual-clock.ts";
import { Broker } from "./broker.ts";
import type { BusClient } from "./bus-client.ts";
import { MemoryCommandBus } from "./command-bus.ts";
import { MemoryConnection } from "./connection.ts";
import { MemoryEventBus } from "./event-bus.ts";
import { DEFAULT_MEMORY_LIMITS } from "./limits.ts";

const LEASE_MS = DEFAULT_MEMORY_LIMITS.leaseMs;
const body = new Uint8Array([1, 2, 3]);
const commands = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ queue: "q", id: `m${from + i}`, type: "t", body }));

function setUp(limits = DEFAULT_MEMORY_LIMITS) {
  const clock = new VirtualClock();
  const broker = new Broker(clock, limits);
  const open = () => {
    const process = new ProcessClock(clock);
    const connection = new MemoryConnection();
    const client: BusClient = { broker, limits, connection, namespace: "n", clock: process, logger: silentLogger };
    return { process, connection, bus: new MemoryCommandBus(client), events: new MemoryEventBus(client) };
  };
  return { clock, broker, open };
}

/** A handler that waits to be told what to answer. */
function held() {
  const deliveries: Delivery[] = [];
  const answers: ((settlement: Settlement) => void)[] = [];
  const handle: DeliveryHandler = (delivery) => {
    deliveries.push(delivery);
    return new Promise((resolve) => answers.push(resolve));
  };
  return { deliveries, answers, handle };
}

describe("a consumption", () => {
  it("handles each of very many messages once, with its slots full and never over-full", async () => {
    const { clock, open } = setUp();
    const { bus } = open();
    let running = 0;
    let most = 0;
    const seen = new Set<string>();
    await bus.work("q", { concurrency: 100 }, async ({ id }) => {
      most = Math.max(most, ++running);
      expect(seen.has(id)).toBe(false);
      seen.add(id);
      await undefined;
      running--;
      return ACK;
    });
    for (let i = 0; i < 50; i++) await bus.send(commands(1_000, i * 1_000));
    await clock.settle();
    expect(seen.size).toBe(50_000);
    expect(most).toBe(100);
    expect(await bus.inspect("q")).toEqual({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
  });

  it("gives the event loop its turns while a backlog is worked off", async () => {
    const { clock, open } = setUp();
    const { bus } = open();
    await bus.send(commands(5_000));
    let handled = 0;
    let turns = 0;
    const turn = () => {
      turns++;
      if (handled < 5_000) setImmediate(turn);
    };
    setImmediate(turn);
    await bus.work("q", { concurrency: 50 }, async () => {
      handled++;
      return ACK;
    });
    await clock.settle();
    expect(handled).toBe(5_000);
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it("keeps up with a publisher of its own process that never pauses", async () => {
    const { clock, open } = setUp({ ...DEFAULT_MEMORY_LIMITS, maxEvents: 2_000 });
    const { events } = open();
    const listener = { service: "s", listener: "l" };
    let handled = 0;
    let missed = 0;
    const onGap = (count: number) => {
      missed += count;
    };
    await events.listen(listener, { types: ["t"], from: "new", concurrency: 10, onGap }, async () => {
      handled++;
      return ACK;
    });
    for (let sent = 0; sent < 20_000; sent += 100) await events.publish(commands(100, sent));
    for (let sent = 20_000; sent < 30_000; sent += 1_000) await events.publish(commands(1_000, sent));
    await clock.settle();
    expect([handled, missed]).toEqual([30_000, 0]);
  });

  it("loses its deliveries when its process is frozen for longer than the lease, and is told when it thaws", async () => {
    const { clock, open } = setUp();
    const frozen = open();
    const healthy = open();
    const first = held();
    const second = held();
    await frozen.bus.work("q", { concurrency: 1 }, first.handle);
    await frozen.bus.send(commands(1));
    await clock.settle();
    const signal = first.deliveries[0]?.signal;
    await healthy.bus.work("q", { concurrency: 1 }, second.handle);
    await clock.advance(3 * LEASE_MS);
    expect(second.deliveries).toHaveLength(0);

    frozen.process.freeze();
    await clock.advance(LEASE_MS);
    expect(second.deliveries.map((delivery) => delivery.attempt)).toEqual([2]);
    expect(signal?.aborted).toBe(false);
    frozen.process.thaw();
    await clock.settle();
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: "LEASE_LOST" });

    first.answers[0]?.({ kind: "dead-letter", reason: "stale" });
    await clock.settle();
    expect(second.deliveries[0]?.signal.aborted).toBe(false);
    second.answers[0]?.(ACK);
    await clock.settle();
    expect(await healthy.bus.inspect("q")).toEqual({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
  });

  it("makes a signal that is asked for late abort at once", async () => {
    const { clock, open } = setUp();
    const { bus, process } = open();
    const { deliveries, handle } = held();
    await bus.work("q", { concurrency: 1 }, handle);
    await bus.send(commands(1));
    process.freeze();
    await clock.advance(LEASE_MS);
    process.thaw();
    await clock.settle();
    expect(deliveries[0]?.signal.aborted).toBe(true);
  });

  it("keeps what it settled during a short cut, and brings it when the connection is back", async () => {
    const { clock, open } = setUp();
    const { bus, connection } = open();
    const { deliveries, answers, handle } = held();
    await bus.work("q", { concurrency: 2 }, handle);
    await bus.send(commands(5));
    await clock.settle();
    connection.cut();
    answers[0]?.(ACK);
    await clock.advance(LEASE_MS / 2);
    connection.mend();
    await clock.settle();
    expect(deliveries.map((delivery) => [delivery.id, delivery.attempt])).toEqual([
      ["m0", 1],
      ["m1", 1],
      ["m2", 1],
    ]);
    await clock.advance(LEASE_MS);
    expect(deliveries).toHaveLength(3);
    expect(deliveries.some((delivery) => delivery.signal.aborted)).toBe(false);
    expect(await bus.inspect("q")).toMatchObject({ ready: 2, inFlight: 2 });
  });

  it("knows during a long cut that its leases have run out", async () => {
    const { clock, open } = setUp();
    const { bus, connection } = open();
    const { deliveries, handle } = held();
    await bus.work("q", { concurrency: 1 }, handle);
    await bus.send(commands(1));
    await clock.settle();
    const signal = deliveries[0]?.signal;
    connection.cut();
    await clock.advance(LEASE_MS - 1);
    expect(signal?.aborted).toBe(false);
    await clock.advance(LEASE_MS / 2);
    expect(signal?.aborted).toBe(true);
  });

  it("offers exactly its free slots however often the connection breaks under running handlers", async () => {
    const { clock, open } = setUp();
    const { bus, connection } = open();
    const { deliveries, answers, handle } = held();
    await bus.send(commands(100));
    await bus.work("q", { concurrency: 4 }, handle);
    for (let i = 0; i < 12; i++) {
      await clock.settle();
      expect(deliveries).toHaveLength(i + 4);
      answers[i]?.(ACK);
      // Breaks it at another of the steps that bring a settlement to the server each time.
      for (let step = 0; step < i; step++) await undefined;
      if (i % 2 === 0) connection.loseAnswers(1 + (i % 3));
      connection.cut();
      connection.mend();
    }
    await clock.settle();
    expect(deliveries).toHaveLength(16);
    expect(new Set(deliveries.map((delivery) => delivery.id)).size).toBe(16);
    expect(await bus.inspect("q")).toEqual({ ready: 84, inFlight: 4, delayed: 0, dead: 0 });
  });

  it("subscribes again within a second when its consumer was deleted", async () => {
    const { clock, broker, open } = setUp();
    const { bus } = open();
    const { deliveries, handle } = held();
    await bus.work("q", { concurrency: 3 }, handle);
    await bus.send(commands(1));
    await clock.settle();
    broker.deleteConsumer("n", "q");
    await bus.send(commands(5, 1));
    await clock.advance(1_000);
    expect(deliveries).toHaveLength(3);
  });

  it("sends nothing more once its process is dead: the message goes to another, counted", async () => {
    const { clock, open } = setUp();
    const dead = open();
    const heir = open();
    const first = held();
    const second = held();
    await dead.bus.work("q", { concurrency: 1 }, first.handle);
    await dead.bus.send(commands(2));
    await clock.settle();
    dead.connection.kill();
    dead.process.stop();
    first.answers[0]?.(ACK);
    await heir.bus.work("q", { concurrency: 5 }, second.handle);
    await clock.advance(LEASE_MS);
    expect(first.deliveries).toHaveLength(1);
    expect(first.deliveries[0]?.signal.aborted).toBe(false);
    expect(second.deliveries.map((delivery) => [delivery.id, delivery.attempt])).toEqual([
      ["m1", 1],
      ["m0", 2],
    ]);
  });

  it("starts before the server can be reached, and ends with CLOSED when closed instead", async () => {
    const { clock, open } = setUp();
    const early = open();
    const never = open();
    early.connection.cut();
    never.connection.cut();
    const { deliveries, handle } = held();
    const working = early.bus.work("q", { concurrency: 1 }, handle);
    const refused = expect(never.bus.work("q", { concurrency: 1 }, handle)).rejects.toMatchObject({ code: "CLOSED" });
    await clock.advance(600_000);
    early.connection.mend();
    await working;
    await early.bus.send(commands(1));
    await clock.settle();
    expect(deliveries).toHaveLength(1);
    never.connection.close();
    await refused;
    await expect(never.bus.work("q", { concurrency: 1 }, handle)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("closes: hands back what was not begun, names what runs, and still settles that", async () => {
    const { clock, open } = setUp();
    const { bus } = open();
    const other = open();
    const first = held();
    const second = held();
    const consumption = await bus.work("q", { concurrency: 2 }, first.handle);
    await bus.send(commands(4));
    await clock.settle();
    const closing = consumption.close({ timeoutMs: 5_000 });
    await other.bus.work("q", { concurrency: 10 }, second.handle);
    await clock.advance(5_000);
    expect(await closing).toEqual({ running: 2 });
    expect(second.deliveries.map((delivery) => delivery.attempt)).toEqual([1, 1]);
    await clock.advance(3 * LEASE_MS);
    expect(second.deliveries).toHaveLength(2);
    const closingAgain = consumption.close();
    for (const answer of first.answers) answer(ACK);
    expect(await closingAgain).toEqual({ running: 0 });
    expect(await bus.inspect("q")).toEqual({ ready: 0, inFlight: 2, delayed: 0, dead: 0 });
  });

  it("closes without the server too", async () => {
    const { open } = setUp();
    const { bus, connection } = open();
    const consumption = await bus.work("q", { concurrency: 2 }, async () => ACK);
    connection.cut();
    expect(await consumption.close()).toEqual({ running: 0 });
  });

  it("tells a gap once, to one replica", async () => {
    const { clock, broker, open } = setUp();
    const gaps: number[] = [];
    const { handle } = held();
    const listener = { service: "s", listener: "l" };
    const options = {
      types: ["t"],
      from: "new" as const,
      concurrency: 1,
      onGap: (missed: number) => void gaps.push(missed),
    };
    await open().events.listen(listener, options, handle);
    await open().events.listen(listener, options, handle);
    const { events } = open();
    await events.publish(commands(10));
    broker.trimEvents("n");
    await clock.settle();
    expect(gaps).toEqual([8]);
    expect(await events.inspect(listener)).toEqual({ pending: 0, inFlight: 2, delayed: 0, dead: 0 });
  });
});

describe("a queue without workers", () => {
  it("refuses what goes beyond its limit, and takes the rest of the batch", async () => {
    const { open } = setUp({ ...DEFAULT_MEMORY_LIMITS, maxCommands: 3 });
    const { bus } = open();
    const sending = bus.send(commands(4));
    await expect(sending).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false, name: "BatchError" });
    await expect(bus.send(commands(1, 10))).rejects.toMatchObject({ name: "IntermodalError" });
    expect((await bus.inspect("q")).ready).toBe(3);
  });

  it("is not touched by what its sender does to the bytes afterwards", async () => {
    const { clock, open } = setUp();
    const { bus } = open();
    const bytes = new Uint8Array([1, 2, 3]);
    await bus.send([{ queue: "q", id: "m", type: "t", body: bytes }]);
    bytes.fill(9);
    const { deliveries, handle } = held();
    await bus.work("q", { concurrency: 1 }, handle);
    await clock.settle();
    expect(deliveries[0]?.body).toEqual(body);
  });
});
