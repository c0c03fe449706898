import { ACK } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { gate, Recorder } from "./recorder.ts";
import { REDELIVERY_MS, SOON_MS } from "./timing.ts";

export const cutBeforeAck = deliveryCase({
  name: "cut-before-ack",
  guarantees: { commandBus: ["CB-1", "CB-3", "CB-18"], eventBus: ["EB-12", "EB-13"] },
  title:
    "cut off before its acknowledgements arrive, a worker comes back by itself; nothing is lost and in the end nothing is left",
  needs: ["cut", "mend"],
  async run(t, place) {
    const worker = await t.open();
    const [before, after] = [ids("before", 20), ids("after", 20)];
    const seen = new Recorder(t.clock);
    const release = gate();
    const handle = seen.handle(async () => {
      await release.opened;
      return ACK;
    });
    await place.consume(worker, 20, handle);
    await place.send(before);
    await t.until("the worker holds all", () => seen.count === before.length, { withinMs: SOON_MS });
    await t.faults.cut(worker);
    release.open();
    await t.sleep(1_000);
    await t.faults.mend(worker);
    await place.send(after);
    await t.until("the same worker gets fresh messages", () => after.every((id) => seen.of(id).length > 0), {
      withinMs: 30_000,
    });
    await t.sleep(REDELIVERY_MS);
    const twice = seen.assertNoneLost([...before, ...after]);
    assert(
      twice <= before.length,
      `${twice} messages came twice, but only ${before.length} lost their acknowledgement`,
    );
    await worker.close();
    const left = new Recorder(t.clock);
    await place.consume(await t.open(), 20, left.handle());
    await t.never("a message was left although all were acknowledged", () => left.count > 0, {
      forMs: 1.2 * place.capabilities.leaseMs,
    });
  },
});
