import { ACK } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { assertDelayed, latest } from "./timing.ts";

export const shortPassesLong = deliveryCase({
  name: "short-retry-passes-long",
  guarantees: { commandBus: ["CB-4", "CB-10"], eventBus: ["EB-6"] },
  title: "a retry in 60 s does not hold one in 1 s",
  async run(t, place) {
    const longMs = Math.min(60_000, place.capabilities.maxDelayMs);
    if (longMs < 5_000) t.skip(`it keeps no delay longer than ${longMs} ms`);
    const seen = new Recorder(t.clock);
    const handle = seen.handle(({ id }) => {
      if (seen.of(id).length > 1) return ACK;
      return { kind: "retry", delayMs: id === "long" ? longMs : 1_000, counted: true };
    });
    await place.consume(await t.open(), 1, handle);
    await place.send(["long"]);
    await t.until("the long one waits", () => seen.count === 1);
    await place.send(["short"]);
    await t.until("the short one came back", () => seen.of("short").length === 2, { withinMs: latest(1_000) + 5_000 });
    const [first, second] = seen.of("short");
    assert(first && second, "both deliveries were seen");
    assertDelayed("the retry in 1 s", second.at - first.at, 1_000);
    assert(seen.of("long").length === 1, "the long one came early");
  },
});
