import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { sendUntilTaken } from "./sending.ts";

export const bootedFirst = deliveryCase({
  name: "booted-first",
  guarantees: { commandBus: ["CB-18"], eventBus: ["EB-12"] },
  title: "a worker that was started before the broker works as soon as the broker is there",
  needs: ["stop", "start"],
  async run(t, place) {
    await t.faults.stop();
    const seen = new Recorder(t.clock);
    let failure: unknown;
    const consuming = place.consume(await t.open(), 5, seen.handle()).catch((error: unknown) => {
      failure = error;
    });
    await t.sleep(10_000);
    if (failure !== undefined) throw failure;
    await t.faults.start();
    await consuming;
    if (failure !== undefined) throw failure;
    await sendUntilTaken(t, place, ["a"]);
    await t.until("the worker gets a message", () => seen.count === 1, { withinMs: 30_000 });
  },
});
