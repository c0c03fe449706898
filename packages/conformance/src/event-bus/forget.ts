import { ACK, listenerKey } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, prepareListener, probes, told } from "./listener.ts";

export const forget: ConformanceCase = {
  id: "event-bus/forget",
  subject: "eventBus",
  guarantees: ["EB-8"],
  title: "forgetting a listener removes what waited for it, its dead letters included, and no other listener's",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    const [gone, kept] = [named("gone"), named("kept")];
    await bus.forget(named("unknown"));
    await prepareListener(bus, kept);
    const dying = await bus.listen(gone, probes(), async () => ({ kind: "dead-letter", reason: "no good" }));
    await bus.publish([event("dead")]);
    const isDead = async () => (await bus.deadLetters.list(listenerKey(gone))).items.length === 1;
    await t.until("a dead letter is there", isDead, { withinMs: SOON_MS });
    await dying.close();
    await bus.publish(ids("missed", 5).map(event));
    await bus.forget(gone);
    await bus.forget(gone);
    const stands = told(bus, { pending: 0, inFlight: 0, delayed: 0, dead: 0 });
    await t.until("it stands as an unknown one", async () => (await bus.inspect(gone)).pending === 0, {
      withinMs: SOON_MS,
    });
    equal(await bus.inspect(gone), stands, "the forgotten listener");
    equal(await bus.deadLetters.list(listenerKey(gone)), { items: [] }, "its dead letters");
    const [fresh, other] = [new Recorder(t.clock), new Recorder(t.clock)];
    await bus.listen(
      gone,
      probes({ from: "new" }),
      fresh.handle(() => ACK),
    );
    await bus.listen(
      kept,
      probes(),
      other.handle(() => ACK),
    );
    await bus.publish([event("now")]);
    await t.until("the kept listener gets all", () => other.count === 7, { withinMs: SOON_MS });
    await t.until("the forgotten one starts anew", () => fresh.count >= 1, { withinMs: SOON_MS });
    await t.sleep(1_000);
    fresh.assertEachOnce(["now"], "the forgotten listener, made anew");
    other.assertEachOnce(["dead", ...ids("missed", 5), "now"], "the kept listener");
  },
};
