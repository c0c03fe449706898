import { assert } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

export const resend = deliveryCase({
  name: "resend",
  guarantees: { commandBus: ["CB-12"], eventBus: ["EB-11"] },
  title: "the same transport id again is the same message within the declared window; another id is another message",
  async run(t, place) {
    const { dedupeWindowMs } = place.capabilities;
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 5, seen.handle());
    await place.send(["task:1:1"]);
    await place.send(["task:1:1"]);
    await t.until("the message was handled", () => seen.of("task:1:1").length > 0, { withinMs: SOON_MS });
    await place.send(["task:1:1"]);
    await place.send(["task:1:2"]);
    await place.send(["task:2:1"]);
    const others = () => seen.of("task:1:2").length > 0 && seen.of("task:2:1").length > 0;
    await t.until("other numbers of the same task are other messages", others, { withinMs: SOON_MS });
    await t.sleep(2_000);
    const same = seen.of("task:1:1").length;
    if (dedupeWindowMs > 0)
      assert(same === 1, `the same message was handled ${same} times within its window of ${dedupeWindowMs} ms`);
    else assert(same <= 3, `a message that was sent three times was handled ${same} times`);
    for (const id of ["task:1:2", "task:2:1"])
      assert(seen.of(id).length === 1, `${id} was handled ${seen.of(id).length} times`);
  },
});
