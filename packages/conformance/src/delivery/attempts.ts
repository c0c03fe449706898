import { ACK, type Settlement } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { assertDelayed } from "./timing.ts";

const TRIES: readonly (Settlement | "rejects")[] = [
  { kind: "retry", delayMs: 100, counted: true },
  { kind: "retry", delayMs: 100, counted: false },
  "rejects",
  { kind: "retry", delayMs: 100, counted: false },
  { kind: "retry", delayMs: 100, counted: true },
  ACK,
];

export const attempts = deliveryCase({
  name: "attempts",
  guarantees: { commandBus: ["CB-4", "CB-5"], eventBus: ["EB-13"] },
  title: "counted retries and rejections raise the attempt, uncounted retries do not; a rejection is retried after 1 s",
  async run(t, place) {
    const seen = new Recorder(t.clock);
    const handle = seen.handle(() => {
      const settlement = TRIES[seen.count - 1] ?? ACK;
      if (settlement === "rejects") throw new Error("the handler fails");
      return settlement;
    });
    await place.consume(await t.open(), 1, handle);
    await place.send(["a"]);
    await t.until("the message was tried six times", () => seen.count === TRIES.length, { withinMs: 15_000 });
    const counts = seen.seen.map(({ delivery }) => delivery.attempt);
    equal(counts, [1, 2, 2, 3, 3, 4], "attempts");
    const [rejected, after] = [seen.seen[2], seen.seen[3]];
    assert(rejected && after, "both deliveries were seen");
    assertDelayed("the retry after a rejection", after.at - rejected.at, 1_000);
  },
});
