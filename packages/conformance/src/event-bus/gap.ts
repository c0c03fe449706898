import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, prepareListener, probes } from "./listener.ts";

const TRIMMED = 20;

export const gap: ConformanceCase = {
  id: "event-bus/gap",
  subject: "eventBus",
  guarantees: ["EB-10"],
  title: "what was trimmed while a listener was away is counted and told once, and what is kept arrives",
  needs: ["trimEvents"],
  async run(t) {
    const adapter = await t.open();
    const bus = eventBusOf(t, adapter);
    await prepareListener(bus, named("away"));
    await bus.publish(ids("trimmed", TRIMMED).map(event));
    await bus.publish([event({ id: "of-another-type", type: "other" })]);
    await t.faults.trimEvents(t.namespace);
    const kept = ids("kept", 10);
    await bus.publish(kept.map(event));
    const gaps: number[] = [];
    const seen = new Recorder(t.clock);
    const options = probes({ onGap: (missed) => gaps.push(missed) });
    const first = await bus.listen(named("away"), options, seen.handle());
    await eventBusOf(t, await t.open()).listen(named("away"), options, seen.handle());
    await t.until("what is kept arrives", () => seen.count >= kept.length, { withinMs: SOON_MS });
    if (bus.capabilities.countsGaps) await t.until("the gap is told", () => gaps.length > 0, { withinMs: SOON_MS });
    await first.close();
    const again = await bus.listen(named("away"), options, seen.handle());
    await t.sleep(2_000);
    await again.close();
    seen.assertEachOnce(kept, "the listener");
    const missed = gaps.reduce((sum, count) => sum + count, 0);
    if (!bus.capabilities.countsGaps) return equal(gaps, [], "gaps told although it declares that it counts none");
    // A broker that trims its log knows positions, not types: events of other types may be among them.
    assert(missed >= TRIMMED && missed <= TRIMMED + 1, `told of ${missed} events trimmed, where ${TRIMMED} were`);
    return undefined;
  },
};
