import { isIntermodalError } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { sendUntilTaken } from "./sending.ts";

export const cutBeforeConfirm = deliveryCase({
  name: "cut-before-confirm",
  guarantees: { commandBus: ["CB-12", "CB-20"], eventBus: ["EB-11", "EB-17"] },
  title:
    "cut off before the broker's confirmation arrives, a send resolves later or says `unknown`, and repeating it is safe",
  needs: ["loseAnswers"],
  async run(t, place) {
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 5, seen.handle());
    await place.send(["warm-up"]);
    await t.faults.loseAnswers(place.sender, 1);
    try {
      await place.send(["a"]);
    } catch (error) {
      assert(isIntermodalError(error, "UNAVAILABLE"), `expected UNAVAILABLE, got ${String(error)}`);
      assert(error.unknown, "the answer was lost, but the error does not say `unknown`");
    }
    await sendUntilTaken(t, place, ["a"]);
    await t.until("the message is handled", () => seen.of("a").length > 0, { withinMs: 30_000 });
    await t.sleep(2_000);
    seen.assertNoneLost(["warm-up", "a"]);
    if (place.capabilities.dedupeWindowMs > 0)
      assert(seen.of("a").length === 1, "a repeated send within the window was delivered twice");
  },
});
