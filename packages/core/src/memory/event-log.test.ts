import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { Consumer } from "./consumer.ts";
import { EventLog } from "./event-log.ts";
import type { MessageQueue } from "./message-queue.ts";

const client = { wake() {}, removed() {} };

function setUp(maxEvents: number) {
  const clock = new VirtualClock();
  const log = new EventLog({ clock, leaseMs: 10_000, maxEvents, maxDeadLetters: 100, dedupeWindowMs: 120_000 });
  let published = 0;
  const publish = (type: string, count = 1) => {
    for (let i = 0; i < count; i++) log.add({ id: `${type}${++published}`, type, body: new Uint8Array() }, clock.now());
    log.deliver([type]);
  };
  return { clock, log, publish };
}

function subscribe(queue: MessageQueue, free: number): Consumer {
  const consumer = queue.subscribe(client);
  consumer.addFree(free);
  return consumer;
}

function take(consumer: Consumer): string[] {
  const ids: string[] = [];
  for (let message = consumer.take(); message !== undefined; message = consumer.take()) ids.push(message.id);
  return ids;
}

describe("EventLog", () => {
  it("gives a listener of several types the oldest first, and starts new ones where they asked", () => {
    const { log, publish } = setUp(100);
    publish("a");
    publish("b");
    const all = log.listener("all", { types: ["b", "a"], from: "earliest" });
    const fresh = log.listener("fresh", { types: ["a"], from: "new" });
    publish("c");
    publish("a");
    publish("b");
    expect(take(subscribe(all, 10))).toEqual(["a1", "b2", "a4", "b5"]);
    expect(take(subscribe(fresh, 10))).toEqual(["a4"]);
  });

  it("keeps a bounded number of events, and tells each listener how many of its own went, once", () => {
    const { log, publish } = setUp(10);
    const away = log.listener("away", { types: ["a", "b"], from: "new" });
    const other = log.listener("other", { types: ["c"], from: "new" });
    const prompt = subscribe(log.listener("prompt", { types: ["a"], from: "new" }), 100);
    publish("a", 8);
    publish("b", 4);
    publish("c", 6);
    expect(away.inspect().ready).toBe(4);
    const consumer = subscribe(away, 2);
    expect(take(consumer)).toEqual(["b9", "b10"]);
    expect(consumer.takeMissed()).toBe(8);
    expect(consumer.takeMissed()).toBe(0);
    publish("c", 9);
    expect(take(prompt)).toHaveLength(8);
    expect(prompt.takeMissed()).toBe(0);
    consumer.addFree(1);
    expect(consumer.takeMissed()).toBe(2);
    expect(subscribe(other, 100).takeMissed()).toBe(5);
  });

  it("tells a gap at once where events are trimmed under a listener that is there, and the next to come where it got lost", () => {
    const { log, publish } = setUp(100);
    const queue = log.listener("l", { types: ["a"], from: "new" });
    const busy = subscribe(queue, 0);
    publish("a", 5);
    log.trim();
    busy.drop();
    const heir = subscribe(queue, 10);
    expect(heir.takeMissed()).toBe(5);
    publish("a");
    expect(take(heir)).toEqual(["a6"]);
  });

  it("counts what a listener's types add from then on, and drops those it gives up", () => {
    const { log, publish } = setUp(100);
    log.listener("l", { types: ["a"], from: "earliest" });
    publish("a");
    publish("b");
    const queue = log.listener("l", { types: ["b"], from: "earliest" });
    publish("a");
    publish("b");
    expect(take(subscribe(queue, 10))).toEqual(["b4"]);
  });

  it("recognises an event that was published before", () => {
    const { log, clock } = setUp(100);
    const queue = log.listener("l", { types: ["a"], from: "new" });
    for (let i = 0; i < 3; i++) log.add({ id: "same", type: "a", body: new Uint8Array() }, clock.now());
    expect(queue.inspect().ready).toBe(1);
  });

  it("starts a forgotten listener anew", () => {
    const { log, publish } = setUp(100);
    log.listener("l", { types: ["a"], from: "new" });
    publish("a", 2);
    log.forget("l");
    log.forget("nobody");
    expect(log.find("l")).toBeUndefined();
    const queue = log.listener("l", { types: ["a"], from: "new" });
    publish("a");
    expect(take(subscribe(queue, 10))).toEqual(["a3"]);
  });
});
