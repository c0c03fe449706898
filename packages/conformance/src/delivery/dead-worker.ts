import { assert, equal } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { REDELIVERY_MS, SOON_MS } from "./timing.ts";

/** A dead worker with concurrency 1 may have had a few more messages on their way to it. */
const MAY_WAIT = 5;

export const deadWorker = deliveryCase({
  name: "dead-worker",
  guarantees: { commandBus: ["CB-1", "CB-5", "CB-9", "CB-10"], eventBus: ["EB-13"] },
  title: "a dead worker's message comes to another within 15 s, counted; the dead worker stalls nobody",
  needs: ["kill"],
  async run(t, place) {
    const [dying, living] = [await t.open(), await t.open()];
    let held = "";
    await place.consume(dying, 1, ({ id }) => {
      held = id;
      return new Promise(() => {});
    });
    await place.send(ids("before", 5));
    await t.until("the dying worker holds a message", () => held !== "", { withinMs: SOON_MS });
    await t.faults.kill(dying);
    const killedAt = t.clock.now();
    const seen = new Recorder(t.clock);
    await place.consume(living, 5, seen.handle());
    const messages = [...ids("before", 5), ...ids("after", 50)];
    await place.send(messages.slice(5));
    await t.until("the living worker handles the rest", () => seen.count >= messages.length - MAY_WAIT, {
      withinMs: SOON_MS,
    });
    await t.until("it handles what the dead one held", () => seen.count >= messages.length, {
      withinMs: REDELIVERY_MS + 1_000,
    });
    assert(
      t.clock.now() - killedAt <= REDELIVERY_MS + 1_000,
      `the last one came ${t.clock.now() - killedAt} ms after the death`,
    );
    seen.assertEachOnce(messages, "the living worker");
    for (const { delivery } of seen.seen) {
      equal(
        delivery.attempt,
        delivery.id === held ? 2 : 1,
        `the attempt of ${delivery.id}, where ${held} was held by the dead worker`,
      );
    }
  },
});
