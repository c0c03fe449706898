import { ACK, type ListenerInspection } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { gate } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, prepareListener, probes, told } from "./listener.ts";

export const inspect: ConformanceCase = {
  id: "event-bus/inspect",
  subject: "eventBus",
  guarantees: ["EB-14"],
  title: "inspecting a listener tells what is pending, in flight, delayed and dead for it alone",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    const [reader, other] = [named("reader"), named("other")];
    const empty = told(bus, { pending: 0, inFlight: 0, delayed: 0, dead: 0 });
    equal(await bus.inspect(reader), empty, "an unknown listener");
    for (const name of [reader, other]) await prepareListener(bus, name);
    await bus.publish(ids("e", 8).map(event));

    const stands = async (what: string, counts: Partial<ListenerInspection>) => {
      const expected = told(bus, counts);
      let found: Partial<ListenerInspection> = {};
      const same = async () => {
        found = await bus.inspect(reader);
        return (Object.keys(expected) as (keyof ListenerInspection)[]).every((key) => found[key] === expected[key]);
      };
      await t.until(what, same, { withinMs: SOON_MS }).catch(() => equal(found, expected, what));
    };
    await stands("while it is away", { pending: 8, inFlight: 0, delayed: 0, dead: 0 });
    const release = gate();
    await bus.listen(reader, probes({ concurrency: 2 }), async ({ id, attempt }) => {
      if (id === "e-1") return { kind: "dead-letter", reason: "no good" };
      if (id === "e-2" && attempt === 1) return { kind: "retry", delayMs: 3_000, counted: true };
      await release.opened;
      return ACK;
    });
    await stands("while two handlers run", { inFlight: 2, delayed: 1, dead: 1 });
    release.open();
    await stands("after all were handled", { pending: 0, inFlight: 0, delayed: 0, dead: 1 });
    const untouched = await bus.inspect(other);
    equal(untouched, { ...empty, pending: 8 }, "the other listener");
  },
};
