import { ACK, listenerKey } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, probes } from "./listener.ts";

const LISTENERS = [
  named("reader", "billing"),
  named("reader", "shop"),
  named("reader.x", "shop"),
  named("reader-x", "shop"),
  named("x.reader", "shop"),
  named("reader", "shop.x"),
  named("Reader", "shop"),
];

export const servicesApart: ConformanceCase = {
  id: "event-bus/services-apart",
  subject: "eventBus",
  guarantees: ["EB-9"],
  title: "equal listener names of two services, and of two namespaces, are apart",
  async run(t) {
    const namespaces = [t.namespace, `${t.namespace}.x`, `${t.namespace}-x`];
    const seen: string[] = [];
    const expected: string[] = [];
    const buses = [];
    for (const namespace of namespaces) {
      const bus = eventBusOf(t, await t.open({ namespace }));
      buses.push(bus);
      for (const listener of LISTENERS) {
        const name = `${namespace} ${listenerKey(listener)}`;
        expected.push(`${name}: ${namespace}`);
        await bus.listen(listener, probes({ concurrency: 1 }), async ({ id }) => {
          seen.push(`${name}: ${id}`);
          return ACK;
        });
      }
    }
    for (const [at, bus] of buses.entries()) await bus.publish([event(namespaces[at] ?? "")]);
    await t.until("every listener got its event", () => seen.length >= expected.length, { withinMs: SOON_MS });
    await t.never("more was delivered", () => seen.length > expected.length, { forMs: 1_000 });
    equal([...seen].sort(), [...expected].sort(), "who got what");
  },
};
