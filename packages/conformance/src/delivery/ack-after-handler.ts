import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { REDELIVERY_MS, SOON_MS } from "./timing.ts";

export const ackAfterHandler = deliveryCase({
  name: "ack-after-handler",
  guarantees: { commandBus: ["CB-3"], eventBus: ["EB-13"] },
  title: "a message is gone only after its handler has resolved",
  async run(t, place) {
    const [first, second] = [await t.open(), await t.open()];
    let held = false;
    await place.consume(first, 1, () => {
      held = true;
      return new Promise(() => {});
    });
    await place.send(["a"]);
    await t.until("the first worker holds the message", () => held, { withinMs: SOON_MS });
    const seen = new Recorder(t.clock);
    await place.consume(second, 1, seen.handle());
    await t.never("the second worker got what the first one holds", () => seen.count > 0, { forMs: 1_000 });
    await first.close();
    await t.until("the message comes to the second worker", () => seen.count === 1, {
      withinMs: REDELIVERY_MS + 1_000,
    });
  },
});
