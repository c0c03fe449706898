import { ACK, type Delivery, type Settlement } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { assertDelayed, latest } from "./timing.ts";

const BODY = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const ONE_MINUTE_MS = 60_000;

export const retryDelayed = deliveryCase({
  name: "retry-delayed",
  guarantees: { commandBus: ["CB-4"], eventBus: ["EB-6", "EB-13"] },
  title: "a retry comes after its delay, never early, late by at most 20 % + 1 s, and is the same message",
  async run(t, place) {
    const delays = [0, 300, 1_500, 4_000].filter((delayMs) => delayMs <= place.capabilities.maxDelayMs);
    const started = t.clock.now();
    const seen = new Recorder(t.clock);
    const again = (delivery: Delivery): Settlement =>
      seen.of(delivery.id).length > 1 ? ACK : { kind: "retry", delayMs: Number(delivery.id), counted: true };
    await place.consume(await t.open(), 10, seen.handle(again));
    await place.send(delays.map((delayMs) => ({ id: String(delayMs), type: "probe", body: BODY })));
    await t.until("every message came back", () => delays.every((delayMs) => seen.of(String(delayMs)).length === 2), {
      withinMs: latest(Math.max(...delays)) + 5_000,
    });
    for (const delayMs of delays) {
      const [first, second] = seen.of(String(delayMs));
      assert(first && second, "both deliveries were seen");
      assertDelayed(`the retry in ${delayMs} ms`, second.at - first.at, delayMs);
      for (const { delivery } of [first, second]) {
        equal(delivery.body, BODY, "the bytes stay the same");
        equal(delivery.type, "probe", "the type stays the same");
      }
      equal(second.delivery.sentAt, first.delivery.sentAt, "the first sending time stays the same");
      assert(
        Math.abs(first.delivery.sentAt - started) < ONE_MINUTE_MS,
        `sentAt ${first.delivery.sentAt} is not the time of sending`,
      );
    }
    await t.never("a message came a third time", () => seen.count > 2 * delays.length, { forMs: 1_000 });
  },
});
