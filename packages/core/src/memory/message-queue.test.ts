import { describe, expect, it } from "vitest";
import { ACK } from "../ports/delivery.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { Consumer } from "./consumer.ts";
import { Fifo } from "./fifo.ts";
import { MessageQueue } from "./message-queue.ts";
import { StoredMessage } from "./stored-message.ts";

const client = { wake() {}, removed() {} };

function setUp(maxWaitingAgain = Number.POSITIVE_INFINITY) {
  const clock = new VirtualClock();
  const source = new Fifo<StoredMessage>();
  const queue = new MessageQueue({ clock, source, leaseMs: 10_000, maxDeadLetters: 100, maxWaitingAgain });
  let sent = 0;
  const send = (count: number) => {
    for (let i = 0; i < count; i++) source.push(new StoredMessage(`m${++sent}`, "t", new Uint8Array(), clock.now()));
    queue.pump();
  };
  const subscribe = (free: number) => {
    const consumer = queue.subscribe(client);
    consumer.addFree(free);
    return consumer;
  };
  return { clock, queue, send, subscribe };
}

function takeAll(consumer: Consumer): StoredMessage[] {
  const taken: StoredMessage[] = [];
  for (let message = consumer.take(); message !== undefined; message = consumer.take()) taken.push(message);
  return taken;
}

describe("MessageQueue", () => {
  it("shares a batch evenly among consumers with free slots, and gives no more than they have", () => {
    const { queue, send, subscribe } = setUp();
    const consumers = [subscribe(100), subscribe(100), subscribe(3), subscribe(100)];
    send(100);
    expect(consumers.map((consumer) => takeAll(consumer).length)).toEqual([33, 32, 3, 32]);
    send(1_000);
    expect(consumers.map((consumer) => takeAll(consumer).length)).toEqual([67, 68, 0, 68]);
    expect(queue.inspect()).toEqual({ ready: 1_100 - 303, inFlight: 303, delayed: 0, dead: 0 });
  });

  it("alternates between new messages and those that come again", () => {
    const { queue, send, subscribe } = setUp();
    const consumer = subscribe(10);
    send(30);
    for (const message of takeAll(consumer))
      queue.settle(message, message.tag, { kind: "retry", delayMs: 0, counted: true });
    consumer.addFree(10);
    const attempts = takeAll(consumer).map((message) => message.attempts);
    expect(attempts.toSorted()).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });

  it("gives back at once, uncounted, what a lost consumer had not taken, and the rest when its lease has run out", async () => {
    const { clock, queue, send, subscribe } = setUp();
    const lost = subscribe(5);
    send(5);
    const taken = [lost.take(), lost.take()];
    lost.drop();
    const heir = subscribe(5);
    const given = takeAll(heir);
    expect(given.map((message) => [message.id, message.attempts])).toEqual([
      ["m3", 0],
      ["m4", 0],
      ["m5", 0],
    ]);
    await clock.advance(9_999);
    for (const message of given) expect(queue.renew(message, message.tag)).toBe(true);
    expect(takeAll(heir)).toEqual([]);
    await clock.advance(1);
    const again = takeAll(heir);
    expect(again.map((message) => message.attempts)).toEqual([1, 1]);
    expect(new Set(again)).toEqual(new Set(taken));
    expect(queue.inspect().inFlight).toBe(5);
  });

  it("ignores what an older holder settles or renews", async () => {
    const { clock, queue, send, subscribe } = setUp();
    const consumer = subscribe(1);
    send(1);
    const message = consumer.take() as StoredMessage;
    const staleTag = message.tag;
    await clock.advance(10_000);
    consumer.addFree(1);
    expect(consumer.take()).toBe(message);
    expect(queue.renew(message, staleTag)).toBe(false);
    queue.settle(message, staleTag, ACK);
    expect(queue.inspect().inFlight).toBe(1);
    expect(queue.renew(message, message.tag)).toBe(true);
    queue.settle(message, message.tag, ACK);
    queue.settle(message, message.tag, { kind: "dead-letter", reason: "twice" });
    expect(queue.inspect()).toEqual({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
  });

  it("does not count a message that was left when its lease runs out", async () => {
    const { clock, queue, send, subscribe } = setUp();
    const consumer = subscribe(1);
    send(1);
    const message = consumer.take() as StoredMessage;
    queue.settle(message, message.tag, { kind: "leave" });
    consumer.addFree(1);
    await clock.advance(9_999);
    expect(consumer.take()).toBeUndefined();
    await clock.advance(1);
    expect(consumer.take()).toBe(message);
    expect(message.attempts).toBe(0);
  });

  it("needs one timer for any number of leases, and one for any number of delays", () => {
    const clock = new VirtualClock();
    let timers = 0;
    const counting = {
      now: () => clock.now(),
      schedule(delayMs: number, run: () => void) {
        timers++;
        const cancel = clock.schedule(delayMs, run);
        return () => {
          timers--;
          cancel();
        };
      },
    };
    const source = new Fifo<StoredMessage>();
    const queue = new MessageQueue({
      clock: counting,
      source,
      leaseMs: 10_000,
      maxDeadLetters: 100,
      maxWaitingAgain: 10_000,
    });
    const consumer = queue.subscribe(client);
    for (let i = 0; i < 5_000; i++) source.push(new StoredMessage(`m${i}`, "t", new Uint8Array(), clock.now()));
    consumer.addFree(5_000);
    const taken = takeAll(consumer);
    expect(taken).toHaveLength(5_000);
    taken.slice(0, 2_000).forEach((message, i) => {
      queue.settle(message, message.tag, { kind: "retry", delayMs: 60_000 - i, counted: true });
    });
    expect(queue.inspect()).toEqual({ ready: 0, inFlight: 3_000, delayed: 2_000, dead: 0 });
    expect(timers).toBe(2);
  });

  it("delivers delayed messages each at its time, an endless delay never", async () => {
    const { clock, queue, send, subscribe } = setUp();
    const consumer = subscribe(4);
    send(4);
    const delays = [3_000, Number.POSITIVE_INFINITY, 1_000, 2_000];
    takeAll(consumer).forEach((message, i) => {
      queue.settle(message, message.tag, { kind: "retry", delayMs: delays[i] as number, counted: false });
    });
    consumer.addFree(4);
    const seen: [string, number][] = [];
    const start = clock.now();
    for (let ms = 0; ms < 5_000; ms += 500) {
      for (const message of takeAll(consumer)) seen.push([message.id, clock.now() - start]);
      await clock.advance(500);
    }
    expect(seen).toEqual([
      ["m3", 1_000],
      ["m4", 2_000],
      ["m1", 3_000],
    ]);
    expect(queue.inspect().delayed).toBe(1);
  });

  it("puts aside what would wait to be delivered again beyond the bound", () => {
    const { queue, send, subscribe } = setUp(2);
    const consumer = subscribe(3);
    send(3);
    for (const message of takeAll(consumer))
      queue.settle(message, message.tag, { kind: "retry", delayMs: 1_000, counted: true });
    expect(queue.inspect()).toMatchObject({ delayed: 2, dead: 1 });
    expect(queue.dead.list().items[0]?.attempts).toBe(1);
  });

  it("forgets with everything it holds", async () => {
    const { clock, queue, send, subscribe } = setUp();
    const consumer = subscribe(2);
    send(2);
    const [a, b] = takeAll(consumer) as [StoredMessage, StoredMessage];
    queue.settle(a, a.tag, { kind: "retry", delayMs: 1_000, counted: true });
    queue.forget();
    queue.settle(b, b.tag, { kind: "retry", delayMs: 0, counted: true });
    expect(queue.inspect()).toEqual({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
    expect(clock.nextTimerAt()).toBeUndefined();
    await clock.advance(20_000);
    expect(queue.inspect().ready).toBe(0);
  });
});
