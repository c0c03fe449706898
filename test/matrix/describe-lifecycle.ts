import { lifecycleCases } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { afterAll, describe, test, vi } from "vitest";
import { LIMIT_MS, SIZE } from "../brokers/describe-broker.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { startCarrier, whyNo } from "./carriers.ts";
import { combine } from "./combine.ts";
import { type BusName, STORES, type StoreName } from "./names.ts";

/** So many beside each other that the machine is never so busy that what should come soon comes late: RabbitMQ takes more of it than the others, and what stands in for MongoDB more still. */
const AT_ONCE: Partial<Record<BusName | StoreName, number>> = { rabbit: 20, mongo: 15 };
const AT_ONCE_ELSE = 40;

/**
 * The life of a task over the buses of one server and the stores of others.
 * @param usual The store of an ordinary run; `INTERMODAL_STORES` (names separated by commas) asks for others, as the soak does.
 */
export async function describeLifecycle(bus: BusName, usual: StoreName): Promise<void> {
  const asked = process.env.INTERMODAL_STORES?.split(",") ?? [usual];
  const stores = STORES.filter((name) => asked.includes(name));
  vi.setConfig({ maxConcurrency: Math.min(...[bus, ...stores].map((name) => AT_ONCE[name] ?? AT_ONCE_ELSE)) });
  for (const store of stores) await describePair(bus, store);
}

async function describePair(bus: BusName, store: StoreName): Promise<void> {
  const missing = (await whyNo(bus)) ?? (await whyNo(store));
  if (missing !== undefined) {
    test(`${bus} with ${store}`, (t) => skipWithout(missing, t));
    return;
  }
  const [buses, stores] = await Promise.all([startCarrier(bus), startCarrier(store)]);
  describe(`${bus} with ${store}`, () => {
    afterAll(() => Promise.all([buses.close(), stores.close()]));
    const harness = { ...combine(buses.harness, stores.harness), size: SIZE };
    describeConformance(harness, lifecycleCases, { concurrent: true, limitMs: LIMIT_MS });
  });
}
