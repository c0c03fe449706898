import { ACK } from "@intermodal/core/ports";
import { rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { Recorder } from "../delivery/recorder.ts";
import { event, eventBusOf, named, probes } from "./listener.ts";

export const closed: ConformanceCase = {
  id: "event-bus/closed",
  subject: "eventBus",
  guarantees: ["EB-15"],
  title:
    "after close() every method rejects with CLOSED and nothing is delivered to this client; closing again is harmless",
  async run(t) {
    const adapter = await t.open();
    const bus = eventBusOf(t, adapter);
    const seen = new Recorder(t.clock);
    await bus.listen(named("reader"), probes(), seen.handle());
    await adapter.close();
    await adapter.close();
    await rejects("publish", "CLOSED", () => bus.publish([event("a")]));
    await rejects("listen", "CLOSED", () => bus.listen(named("reader"), probes(), async () => ACK));
    await rejects("forget", "CLOSED", () => bus.forget(named("reader")));
    await rejects("inspect", "CLOSED", () => bus.inspect(named("reader")));
    await rejects("deadLetters.list", "CLOSED", () => bus.deadLetters.list("service/reader"));
    await rejects("deadLetters.replay", "CLOSED", () => bus.deadLetters.replay("service/reader", ["x"]));
    await rejects("deadLetters.discard", "CLOSED", () => bus.deadLetters.discard("service/reader", ["x"]));
    const other = eventBusOf(t, await t.open());
    await other.publish([event("b")]);
    await t.never("a closed client was given an event", () => seen.count > 0, { forMs: 1_000 });
    const next = new Recorder(t.clock);
    await other.listen(named("reader"), probes(), next.handle());
    await t.until("another replica gets it", () => next.of("b").length === 1);
  },
};
