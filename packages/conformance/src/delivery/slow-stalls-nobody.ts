import { ACK } from "@intermodal/core/ports";
import { deliveryCase, ids } from "./place.ts";
import { gate, Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const slowStallsNobody = deliveryCase({
  name: "slow-stalls-nobody",
  guarantees: { commandBus: ["CB-10"], eventBus: ["EB-13"] },
  title: "a slow handler holds up no other message: nothing waits behind it in its worker",
  async run(t, place) {
    const [slow, quick] = [await t.open(), await t.open()];
    const release = gate();
    let held = "";
    await place.consume(slow, 1, async ({ id }) => {
      held ||= id;
      if (held === id) await release.opened;
      return ACK;
    });
    const messages = ids("m", 50);
    await place.send(messages.slice(0, 25));
    await t.until("the slow worker holds a message", () => held !== "", { withinMs: SOON_MS });
    const seen = new Recorder(t.clock);
    await place.consume(quick, 1, seen.handle());
    await place.send(messages.slice(25));
    await t.until("the quick worker handles all others", () => seen.count >= messages.length - 1, {
      withinMs: SOON_MS,
    });
    seen.assertEachOnce(
      messages.filter((id) => id !== held),
      "the quick worker",
    );
    release.open();
  },
});
