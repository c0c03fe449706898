import { rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, prepareListener, probes } from "./listener.ts";

export const awayCatchesUp: ConformanceCase = {
  id: "event-bus/away-catches-up",
  subject: "eventBus",
  guarantees: ["EB-4", "EB-8"],
  title: "a listener that was away gets what it missed, each event once: closing keeps its durable",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    const adapter = await t.open();
    const away = eventBusOf(t, adapter);
    const seen = new Recorder(t.clock);
    const consumption = await away.listen(named("reader"), probes(), seen.handle());
    await bus.publish([event("before")]);
    await t.until("the listener works", () => seen.count === 1, { withinMs: SOON_MS });
    await consumption.close();
    const [missed, missedToo] = [ids("missed", 50), ids("missed-too", 50)];
    await bus.publish(missed.map(event));
    await adapter.close();
    await bus.publish(missedToo.map(event));
    await t.sleep(2_000);
    const back = new Recorder(t.clock);
    await eventBusOf(t, await t.open()).listen(named("reader"), probes(), back.handle());
    await bus.publish([event("after")]);
    const expected = [...missed, ...missedToo, "after"];
    await t.until("it got everything", () => back.count >= expected.length, { withinMs: SOON_MS });
    await t.never("more came", () => back.count > expected.length || seen.count > 1, { forMs: 1_000 });
    back.assertEachOnce(expected, "the listener that came back");
  },
};

export const startPolicy: ConformanceCase = {
  id: "event-bus/start-policy",
  subject: "eventBus",
  guarantees: ["EB-4", "EB-7"],
  title: "a new listener starts at what is published from now on, or at the oldest event kept; a known one goes on",
  async run(t) {
    const adapter = await t.open();
    const bus = eventBusOf(t, adapter);
    const old = ids("old", 5);
    await bus.publish(old.map(event));
    const [fresh, all] = [new Recorder(t.clock), new Recorder(t.clock)];
    const { replaysHistory } = bus.capabilities;
    await bus.listen(named("fresh"), probes({ from: "new" }), fresh.handle());
    if (replaysHistory) {
      const first = await bus.listen(named("all"), probes({ from: "earliest" }), all.handle());
      await t.until("it gets the old events", () => all.count >= old.length, { withinMs: SOON_MS });
      await first.close();
      await bus.listen(named("all"), probes({ from: "earliest" }), all.handle());
    } else {
      const earliest = () => prepareListener(bus, named("all"), probes({ from: "earliest" }));
      await rejects("listening from the earliest without `replaysHistory`", "NOT_SUPPORTED", earliest);
    }
    await bus.publish([event("now")]);
    await t.until("the new listener gets the new event", () => fresh.count >= 1, { withinMs: SOON_MS });
    if (replaysHistory) await t.until("so does the other", () => all.count >= old.length + 1, { withinMs: SOON_MS });
    await t.sleep(1_000);
    fresh.assertEachOnce(["now"], "the listener from now on");
    if (replaysHistory) all.assertEachOnce([...old, "now"], "the listener from the earliest");
  },
};
