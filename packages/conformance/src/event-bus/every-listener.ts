import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, probes } from "./listener.ts";

export const withoutListener: ConformanceCase = {
  id: "event-bus/without-listener",
  subject: "eventBus",
  guarantees: ["EB-1"],
  title: "publishing succeeds where nobody listens",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    await bus.publish([]);
    await bus.publish(ids("e", 10).map(event));
  },
};

export const everyListener: ConformanceCase = {
  id: "event-bus/every-listener",
  subject: "eventBus",
  guarantees: ["EB-2", "EB-4"],
  title: "each listener gets every event of its types and no other, from the moment listen resolves",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    const wanted: Readonly<Record<string, readonly string[]>> = {
      created: ["book.created"],
      "created-and-deleted": ["book.created", "book.deleted"],
      "created-too": ["book.created"],
      longer: ["book.created.again"],
      shorter: ["book"],
      other: ["Book.created"],
    };
    const events = Object.values(wanted)
      .flat()
      .filter((type, at, all) => all.indexOf(type) === at)
      .flatMap((type) => ids(type, 10).map((id) => ({ id, type })));
    const recorders = new Map<string, Recorder>();
    for (const [listener, types] of Object.entries(wanted)) {
      const recorder = new Recorder(t.clock);
      recorders.set(listener, recorder);
      const own = eventBusOf(t, await t.open());
      await own.listen(named(listener), probes({ types }), recorder.handle());
    }
    await bus.publish(events.map(event));
    for (const [listener, recorder] of recorders) {
      const expected = events.filter(({ type }) => wanted[listener]?.includes(type)).map(({ id }) => id);
      await t.until(`${listener} got its events`, () => recorder.count >= expected.length, { withinMs: SOON_MS });
    }
    await t.sleep(1_000);
    for (const [listener, recorder] of recorders) {
      const expected = events.filter(({ type }) => wanted[listener]?.includes(type));
      recorder.assertEachOnce(
        expected.map(({ id }) => id),
        `listener ${listener}`,
      );
      for (const { delivery } of recorder.seen)
        equal(delivery.type, delivery.id.replace(/-\d+$/, ""), `the type of ${delivery.id}`);
    }
  },
};
