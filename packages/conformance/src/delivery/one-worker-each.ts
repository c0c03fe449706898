import { ACK, sleep } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";

const CLIENTS = 5;
const CONSUMERS = 50;

export const oneWorkerEach = deliveryCase({
  name: "one-worker-each",
  guarantees: { commandBus: ["CB-1", "CB-2"], eventBus: ["EB-1", "EB-3"] },
  title: "many consumers share many messages: none lost, each handled once",
  async run(t, place) {
    const messages = ids("m", t.size(5_000, 500));
    const seen = new Recorder(t.clock);
    const shares = new Map<number, number>();
    for (let client = 0; client < CLIENTS; client++) {
      const adapter = await t.open();
      for (let consumer = 0; consumer < CONSUMERS / CLIENTS; consumer++) {
        const handle = seen.handle(async () => {
          shares.set(client, (shares.get(client) ?? 0) + 1);
          await sleep(t.clock, 5);
          return ACK;
        });
        await place.consume(adapter, 4, handle);
      }
    }
    for (let from = 0; from < messages.length; from += 100) await place.send(messages.slice(from, from + 100));
    await t.until("all messages are handled", () => seen.count >= messages.length, { withinMs: 60_000 });
    await t.never("a message came twice", () => seen.count > messages.length, { forMs: 2_000 });
    seen.assertEachOnce(messages, "the consumers together");
    assert(shares.size > 1, "one client took everything, the others got nothing");
  },
});
