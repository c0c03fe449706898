import { ACK } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { gate, Recorder } from "./recorder.ts";
import { REDELIVERY_MS, SOON_MS } from "./timing.ts";

export const abortSignal = deliveryCase({
  name: "abort-signal",
  guarantees: { commandBus: ["CB-9", "CB-17"], eventBus: ["EB-13"] },
  title: "the signal of a delivery aborts when its holder, cut off, has lost it to another",
  needs: ["cut", "mend"],
  async run(t, place) {
    const [losing, winning] = [await t.open(), await t.open()];
    const lost = new Recorder(t.clock);
    const release = gate();
    const handle = lost.handle(async () => {
      await release.opened;
      return ACK;
    });
    await place.consume(losing, 1, handle);
    await place.send(["a"]);
    await t.until("the first worker holds the message", () => lost.count === 1, { withinMs: SOON_MS });
    const won = new Recorder(t.clock);
    await place.consume(winning, 1, won.handle());
    const signal = lost.seen[0]?.delivery.signal;
    await t.never("its signal aborted although it holds the message", () => signal?.aborted ?? true, { forMs: 1_000 });
    await t.faults.cut(losing);
    await t.until("the other worker has it", () => won.count === 1, { withinMs: REDELIVERY_MS + 1_000 });
    await t.until("the signal aborted", () => signal?.aborted ?? false, { withinMs: SOON_MS });
    release.open();
    await t.faults.mend(losing);
    equal(won.seen[0]?.delivery.signal.aborted, false, "the other worker's signal aborted");
  },
});
