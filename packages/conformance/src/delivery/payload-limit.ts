import { type BatchError, isIntermodalError } from "@intermodal/core/ports";
import { equal, rejects } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";

const MIB = 1_048_576;
/** A limit beyond this is not tried: it says more about the machine's memory. */
const LARGEST_TRIED = 64 * MIB;

export const payloadLimit = deliveryCase({
  name: "payload-limit",
  guarantees: { commandBus: ["CB-13"], eventBus: ["EB-16"] },
  title:
    "a body of 1 MiB arrives or is refused, as declared; one past the limit is refused and the rest of its batch sent",
  async run(t, place) {
    const { maxPayloadBytes } = place.capabilities;
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 1, seen.handle());
    const large = { id: "large", body: new Uint8Array(Math.min(MIB, maxPayloadBytes)).fill(7) };
    await place.send([large]);
    await t.until("the large body arrived", () => seen.count === 1, { withinMs: 30_000 });
    equal(seen.of("large")[0]?.delivery.body, large.body, "the large body");
    if (maxPayloadBytes > LARGEST_TRIED) return;
    const tooLarge = { id: "too-large", body: new Uint8Array(maxPayloadBytes + 1) };
    const error = await rejects(
      "a batch with a body past the limit",
      "PAYLOAD_TOO_LARGE",
      place.send(["before", tooLarge, "after"]),
    );
    equal(error.unknown, false, "unknown");
    const failures = "failures" in error ? (error as BatchError).failures : [];
    equal(
      failures.map((failure) => isIntermodalError(failure, "PAYLOAD_TOO_LARGE")),
      [false, true, false],
      "which of the batch failed",
    );
    await t.until("the rest of the batch arrived", () => seen.count === 3, { withinMs: 30_000 });
    await t.never("what was refused arrived", () => seen.count > 3, { forMs: 1_000 });
    seen.assertEachOnce(["large", "before", "after"], "the worker");
  },
});
