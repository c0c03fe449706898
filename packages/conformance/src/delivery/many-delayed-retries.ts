import type { Delivery, Settlement } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { latest, SOON_MS } from "./timing.ts";

const DELAY_MS = 10_000;

export const manyDelayedRetries = deliveryCase({
  name: "many-delayed-retries",
  guarantees: { commandBus: ["CB-4", "CB-10"], eventBus: ["EB-6", "EB-13"] },
  title: "1,500 delayed retries stall nothing, and all come back",
  async run(t, place) {
    if (place.capabilities.maxDelayMs < DELAY_MS) t.skip(`it keeps no delay of ${DELAY_MS} ms`);
    const delayed = ids("delayed", 1_500);
    const fresh = ids("fresh", 100);
    const tried = new Map<string, number>();
    const back = new Recorder(t.clock);
    const noteBack = back.handle();
    const noteFresh = new Recorder(t.clock);
    const handleFresh = noteFresh.handle();
    await place.consume(await t.open(), 20, async (delivery: Delivery): Promise<Settlement> => {
      if (delivery.id.startsWith("fresh")) return handleFresh(delivery);
      if (tried.has(delivery.id)) return noteBack(delivery);
      tried.set(delivery.id, t.clock.now());
      return { kind: "retry", delayMs: DELAY_MS, counted: true };
    });
    for (let from = 0; from < delayed.length; from += 100) await place.send(delayed.slice(from, from + 100));
    await t.until("all have been tried once", () => tried.size === delayed.length, { withinMs: DELAY_MS - 1_000 });
    await place.send(fresh);
    await t.until("fresh ones are handled at once", () => noteFresh.count >= fresh.length, { withinMs: SOON_MS });
    await t.until("all delayed ones came back", () => back.count >= delayed.length, {
      withinMs: latest(DELAY_MS) + SOON_MS,
    });
    back.assertEachOnce(delayed, "the worker");
    const early = back.seen.filter(({ delivery, at }) => at - (tried.get(delivery.id) ?? 0) < DELAY_MS - 5);
    assert(early.length === 0, `${early.length} retries came early`);
    const ackedTwice = noteFresh.count > fresh.length;
    assert(!ackedTwice, "a fresh message came twice");
  },
});
