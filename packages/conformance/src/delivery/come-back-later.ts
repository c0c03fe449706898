import { ACK } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const comeBackLater = deliveryCase({
  name: "come-back-later",
  guarantees: { commandBus: ["CB-5", "CB-10"], eventBus: ["EB-6", "EB-13"] },
  title: "messages that nobody here knows come back uncounted until somebody does; later messages flow meanwhile",
  async run(t, place) {
    const seen = new Recorder(t.clock);
    const bounced = new Recorder(t.clock);
    const bounce = bounced.handle(() => ({ kind: "retry", delayMs: 300, counted: false }));
    const note = seen.handle(() => ACK);
    let known = false;
    await place.consume(await t.open(), 1, (delivery) => {
      return known || delivery.id.startsWith("known") ? note(delivery) : bounce(delivery);
    });
    const [unknown, later] = [ids("unknown", 10), ids("known", 20)];
    await place.send([...unknown, ...later]);
    await t.until("the known ones are handled", () => seen.count === later.length, { withinMs: SOON_MS });
    await t.until("each unknown one came back twice", () => unknown.every((id) => bounced.of(id).length > 2), {
      withinMs: SOON_MS,
    });
    known = true;
    await t.until("all are handled", () => seen.count >= later.length + unknown.length, { withinMs: SOON_MS });
    seen.assertEachOnce([...unknown, ...later], "the worker");
    const counted = [...seen.seen, ...bounced.seen].filter(({ delivery }) => delivery.attempt !== 1);
    equal(counted.length, 0, "deliveries that counted an uncounted retry");
  },
});
