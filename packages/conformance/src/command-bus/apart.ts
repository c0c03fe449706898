import { ACK } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { command, commandBusOf, prepareQueue } from "./queue.ts";

const QUEUES = ["orders", "orders.eu", "orders-eu", "orders_eu", "Orders", "orders.dead"];

/** Enough that two queues that are one can't share them out right by chance. */
const idsFor = (namespace: string, queue: string) => ids(`${namespace}/${queue}`, 5);

export const apart: ConformanceCase = {
  id: "command-bus/apart",
  subject: "commandBus",
  guarantees: ["CB-22"],
  title: "namespaces, and queues within one, are apart, dead letters included",
  async run(t) {
    const namespaces = [t.namespace, `${t.namespace}.x`, `${t.namespace}-x`];
    const expected: string[] = [];
    const seen: string[] = [];
    const buses = [];
    for (const namespace of namespaces) {
      const bus = commandBusOf(t, await t.open({ namespace }));
      buses.push(bus);
      for (const queue of QUEUES) {
        await prepareQueue(bus, queue);
        await bus.work(queue, { concurrency: 1 }, async ({ id }) => {
          seen.push(`${namespace} ${queue}: ${id}`);
          return queue === "orders" && namespace === t.namespace ? { kind: "dead-letter", reason: "no good" } : ACK;
        });
        for (const id of idsFor(namespace, queue)) expected.push(`${namespace} ${queue}: ${id}`);
      }
    }
    for (const [at, bus] of buses.entries()) {
      await bus.send(QUEUES.flatMap((queue) => idsFor(namespaces[at] ?? "", queue).map((id) => command(queue, id))));
    }
    await t.until("all are handled", () => seen.length >= expected.length, { withinMs: SOON_MS });
    await t.never("more was delivered", () => seen.length > expected.length, { forMs: 1_000 });
    equal([...seen].sort(), [...expected].sort(), "where each message came");
    const dead: string[] = [];
    for (const [at, bus] of buses.entries()) {
      for (const queue of QUEUES) {
        for (const { id } of (await bus.deadLetters.list(queue)).items) dead.push(`${namespaces[at]} ${queue}: ${id}`);
      }
    }
    const orders = idsFor(t.namespace, "orders").map((id) => `${t.namespace} orders: ${id}`);
    equal(dead.sort(), orders, "dead letters by queue");
  },
};

export const sameIdElsewhere: ConformanceCase = {
  id: "command-bus/same-id-elsewhere",
  subject: "commandBus",
  guarantees: ["CB-12", "CB-22"],
  title: "the same transport id in another namespace is another message",
  async run(t) {
    const seen = new Recorder(t.clock);
    for (const namespace of [t.namespace, `${t.namespace}-x`]) {
      const bus = commandBusOf(t, await t.open({ namespace }));
      await prepareQueue(bus, "work");
      await bus.work("work", { concurrency: 1 }, seen.handle());
      await bus.send([command("work", "a")]);
    }
    await t.until("each namespace has its own", () => seen.count === 2, { withinMs: SOON_MS });
  },
};
