import { type IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { sendUntilTaken } from "./sending.ts";

const BOUNDED_MS = 60_000;

export const sendWhileAway = deliveryCase({
  name: "send-while-away",
  guarantees: { commandBus: ["CB-20"], eventBus: ["EB-17"] },
  title:
    "while the broker is away a send rejects with UNAVAILABLE within a bounded time, or resolves once the broker holds it",
  needs: ["stop", "start"],
  async run(t, place) {
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 5, seen.handle());
    await t.faults.stop();
    let [resolved, failure] = [false, undefined as unknown];
    const sending = place.send(["a"]).then(
      () => {
        resolved = true;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    const ended = () => resolved || failure !== undefined;
    await t.never("a send resolved while nobody could have taken it", () => resolved, { forMs: 2_000 });
    await t.until("the send rejects", ended, { withinMs: BOUNDED_MS });
    assert(!resolved, "a send resolved while the broker was away");
    assert(isIntermodalError(failure, "UNAVAILABLE"), `expected UNAVAILABLE, got ${String(failure)}`);
    const lostAnswer = (failure as IntermodalError).unknown;
    await t.faults.start();
    await sending;
    await sendUntilTaken(t, place, ["b"]);
    await t.until("a later send is handled", () => seen.of("b").length > 0, { withinMs: 30_000 });
    await t.sleep(2_000);
    if (!lostAnswer) assert(seen.of("a").length === 0, "a send was rejected as not done, and yet its message came");
  },
});
