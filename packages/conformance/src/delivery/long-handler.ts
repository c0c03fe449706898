import { ACK, sleep } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const longHandler = deliveryCase({
  name: "long-handler",
  guarantees: { commandBus: ["CB-2", "CB-8", "CB-17"], eventBus: ["EB-3", "EB-13"] },
  title: "a handler that takes three times the lease runs once, and its signal stays quiet",
  async run(t, place) {
    const { leaseMs } = place.capabilities;
    assert(leaseMs > 0 && leaseMs <= 15_000, `leaseMs is ${leaseMs}, not within 1 and 15,000`);
    const seen = new Recorder(t.clock);
    let done = 0;
    const handle = seen.handle(async ({ id }) => {
      if (id === "long") await sleep(t.clock, 3 * leaseMs);
      done++;
      return ACK;
    });
    for (const adapter of [await t.open(), await t.open()]) await place.consume(adapter, 2, handle);
    await place.send(["long", "short"]);
    await t.until("the long handler ended", () => done === 2, { withinMs: 3 * leaseMs + SOON_MS });
    await t.never("the message came again", () => seen.count > 2, { forMs: 1.2 * leaseMs });
    seen.assertEachOnce(["long", "short"], "the workers together");
    equal(
      seen.seen.map(({ delivery }) => delivery.signal.aborted),
      [false, false],
      "signals aborted",
    );
  },
});
