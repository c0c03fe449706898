import { ACK } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { gate, Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const closeDrains = deliveryCase({
  name: "close-drains",
  guarantees: { commandBus: ["CB-16"], eventBus: ["EB-13"] },
  title: "closing a consumption takes nothing new and waits for the handlers that run",
  async run(t, place) {
    const seen = new Recorder(t.clock);
    const release = gate();
    const handle = seen.handle(async () => {
      await release.opened;
      return ACK;
    });
    const consumption = await place.consume(await t.open(), 2, handle);
    await place.send(["a", "b"]);
    await t.until("both handlers run", () => seen.count === 2, { withinMs: SOON_MS });
    let running = -1;
    const closing = (async () => {
      running = (await consumption.close({ timeoutMs: 60_000 })).running;
    })();
    await place.send(["late"]);
    await t.never("a closing consumption took a new message, or did not wait", () => seen.count > 2 || running >= 0, {
      forMs: 1_000,
    });
    release.open();
    await t.until("the consumption is closed", () => running >= 0, { withinMs: SOON_MS });
    await closing;
    equal(running, 0, "handlers still running");
    equal(await consumption.close(), { running: 0 }, "closing again");
    const next = new Recorder(t.clock);
    await place.consume(await t.open(), 5, next.handle());
    await t.until("the next worker gets the late message", () => next.count > 0, { withinMs: SOON_MS });
    await t.never("it gets what was handled", () => next.count > 1, { forMs: 2_000 });
    next.assertEachOnce(["late"], "the next worker");
  },
});

export const closeHandsBack = deliveryCase({
  name: "close-hands-back",
  guarantees: { commandBus: ["CB-5", "CB-16", "CB-17"], eventBus: ["EB-13"] },
  title:
    "past its limit, closing hands back uncounted what has not started; what runs keeps its message and settles it",
  async run(t, place) {
    const { leaseMs } = place.capabilities;
    const held = new Recorder(t.clock);
    const release = gate();
    const handle = held.handle(async () => {
      await release.opened;
      return ACK;
    });
    const consumption = await place.consume(await t.open(), 2, handle);
    const messages = ids("m", 12);
    await place.send(messages);
    await t.until("two handlers run", () => held.count === 2, { withinMs: SOON_MS });
    equal(await consumption.close({ timeoutMs: 200 }), { running: 2 }, "handlers that still run past the limit");
    const next = new Recorder(t.clock);
    await place.consume(await t.open(), 5, next.handle());
    await t.until("the next worker gets the rest", () => next.count === 10, { withinMs: SOON_MS });
    await t.never("it gets what still runs elsewhere", () => next.count > 10, { forMs: 1.5 * leaseMs });
    next.assertEachOnce(
      messages.filter((id) => held.of(id).length === 0),
      "the next worker",
    );
    equal(next.seen.filter(({ delivery }) => delivery.attempt !== 1).length, 0, "messages whose hand-back was counted");
    equal(
      held.seen.map(({ delivery }) => delivery.signal.aborted),
      [false, false],
      "signals aborted by closing",
    );
    release.open();
    await t.never("what was settled after the close came again", () => next.count > 10 || held.count > 2, {
      forMs: 1.5 * leaseMs,
    });
  },
});
