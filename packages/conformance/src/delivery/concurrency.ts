import { ACK, sleep } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { SOON_MS } from "./timing.ts";

const CONCURRENCY = 3;

export const concurrency = deliveryCase({
  name: "concurrency",
  guarantees: { commandBus: ["CB-23"], eventBus: ["EB-13"] },
  title: "a consumption uses its concurrency and never more",
  async run(t, place) {
    let [running, most, done] = [0, 0, 0];
    await place.consume(await t.open(), CONCURRENCY, async () => {
      running++;
      most = Math.max(most, running);
      await sleep(t.clock, 100);
      running--;
      done++;
      return ACK;
    });
    const messages = ids("m", 30);
    await place.send(messages);
    await t.until("all messages are handled", () => done === messages.length, { withinMs: 10 * SOON_MS });
    equal(most, CONCURRENCY, "the most handlers at once");
  },
});
