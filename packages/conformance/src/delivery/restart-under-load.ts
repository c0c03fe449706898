import { ACK, sleep } from "@intermodal/core/ports";
import { deliveryCase, ids } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { sendUntilTaken } from "./sending.ts";

const BATCH = 100;

export const restartUnderLoad = deliveryCase({
  name: "restart-under-load",
  guarantees: { commandBus: ["CB-1", "CB-18"], eventBus: ["EB-1", "EB-12"] },
  title: "the broker restarts twice under 10,000 messages: nothing acknowledged is lost, nothing invented",
  needs: ["stop", "start"],
  async run(t, place) {
    const messages = ids("m", t.size(10_000, 500));
    const seen = new Recorder(t.clock);
    const distinct = new Set<string>();
    const handle = seen.handle(async ({ id }) => {
      await sleep(t.clock, 5);
      distinct.add(id);
      return ACK;
    });
    for (const adapter of [await t.open(), await t.open()]) await place.consume(adapter, 20, handle);
    let sent = 0;
    const sending = (async () => {
      for (; sent < messages.length; sent += BATCH) {
        await sendUntilTaken(t, place, messages.slice(sent, sent + BATCH));
        await t.sleep(20);
      }
    })();
    for (const share of [0.25, 0.6]) {
      await t.until(`${share * 100} % are handled`, () => distinct.size >= share * messages.length, {
        withinMs: 120_000,
      });
      await t.faults.stop();
      await t.sleep(1_000);
      await t.faults.start();
    }
    await sending;
    await t.until("all are handled", () => distinct.size >= messages.length, { withinMs: 120_000 });
    seen.assertNoneLost(messages);
  },
});
