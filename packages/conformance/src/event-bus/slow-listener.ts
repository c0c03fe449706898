import { ACK, type DeliveryHandler } from "@intermodal/core/ports";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { gate, Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, probes } from "./listener.ts";

export const slowListener: ConformanceCase = {
  id: "event-bus/slow-listener",
  subject: "eventBus",
  guarantees: ["EB-5"],
  title: "slow, failing and absent listeners delay no other",
  async run(t) {
    const adapter = await t.open();
    const bus = eventBusOf(t, adapter);
    const release = gate();
    const others: Readonly<Record<string, DeliveryHandler>> = {
      slow: async () => {
        await release.opened;
        return ACK;
      },
      failing: async () => {
        throw new Error("the handler fails");
      },
      retrying: async () => ({ kind: "retry", delayMs: 500, counted: true }),
    };
    for (const [listener, handle] of Object.entries(others))
      await bus.listen(named(listener), probes({ concurrency: 1 }), handle);
    const absent = await bus.listen(named("absent"), probes(), async () => ACK);
    await absent.close();
    const seen = new Recorder(t.clock);
    await bus.listen(named("quick"), probes({ concurrency: 1 }), seen.handle());
    const events = ids("e", t.size(200, 100));
    for (let from = 0; from < events.length; from += 20) await bus.publish(events.slice(from, from + 20).map(event));
    await t.until("the quick listener gets all", () => seen.count >= events.length, { withinMs: SOON_MS });
    await t.never("it gets more", () => seen.count > events.length, { forMs: 1_500 });
    seen.assertEachOnce(events, "the quick listener");
    release.open();
  },
};
