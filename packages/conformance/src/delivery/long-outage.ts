import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { sendUntilTaken } from "./sending.ts";

export const longOutage = deliveryCase({
  name: "long-outage",
  guarantees: { commandBus: ["CB-18"], eventBus: ["EB-12"] },
  title: "after a long outage fresh messages come to the same worker",
  needs: ["stop", "start"],
  async run(t, place) {
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 5, seen.handle());
    await place.send(["before"]);
    await t.until("the worker works", () => seen.of("before").length === 1);
    await t.faults.stop();
    await t.sleep(t.size(90_000, 45_000));
    await t.faults.start();
    await sendUntilTaken(t, place, ["after"]);
    await t.until("the same worker gets a fresh message", () => seen.of("after").length > 0, { withinMs: 60_000 });
    seen.assertNoneLost(["before", "after"]);
  },
});
