import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const failingStallsNobody = deliveryCase({
  name: "failing-stalls-nobody",
  guarantees: { commandBus: ["CB-10"], eventBus: ["EB-13"] },
  title: "messages that fail again and again hold up no other message",
  async run(t, place) {
    const seen = new Recorder(t.clock);
    const note = seen.handle();
    let failures = 0;
    await place.consume(await t.open(), 2, async (delivery) => {
      if (delivery.id === "rejects") throw new Error("the handler fails");
      if (!delivery.id.startsWith("retries")) return note(delivery);
      failures++;
      return { kind: "retry", delayMs: 200, counted: true };
    });
    await place.send(["rejects", ...ids("retries", 5)]);
    await t.until("the failing ones have failed twice", () => failures >= 10, { withinMs: SOON_MS });
    const good = ids("good", 50);
    await place.send(good);
    await t.until("all the others are handled", () => seen.count >= good.length, { withinMs: SOON_MS });
    seen.assertEachOnce(good, "the worker");
    const before = failures;
    await t.until("the failing ones are still tried", () => failures > before, { withinMs: SOON_MS });
  },
});
