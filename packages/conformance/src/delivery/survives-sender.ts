import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const survivesSender = deliveryCase({
  name: "survives-sender",
  guarantees: { commandBus: ["CB-1"], eventBus: ["EB-1"] },
  title: "what was acknowledged is kept when its sender is gone at once",
  async run(t, place) {
    const messages = ids("m", 100);
    const leaving = await t.open();
    await place.send(messages, leaving);
    await leaving.close();
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 5, seen.handle());
    await t.until("all are handled", () => seen.count >= messages.length, { withinMs: SOON_MS });
    seen.assertEachOnce(messages, "the worker");
  },
});
