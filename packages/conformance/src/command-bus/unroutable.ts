import { equal, rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { command, commandBusOf, prepareQueue } from "./queue.ts";

export const unroutable: ConformanceCase = {
  id: "command-bus/unroutable",
  subject: "commandBus",
  guarantees: ["CB-14"],
  title: "a send to a queue that no worker ever used waits or is refused, as declared; one whose worker is away waits",
  async run(t) {
    const adapter = await t.open();
    const bus = commandBusOf(t, adapter);
    const seen = new Recorder(t.clock);
    const early = bus.send([command("nobody", "early")]);
    if (bus.capabilities.unroutable === "reject") {
      const error = await rejects("a send to nowhere", "UNROUTABLE", early);
      equal(error.unknown, false, "unknown");
    } else {
      await early;
    }
    await prepareQueue(bus, "nobody");
    await bus.send([command("nobody", "late")]);
    const expected = bus.capabilities.unroutable === "reject" ? ["late"] : ["early", "late"];
    await bus.work("nobody", { concurrency: 1 }, seen.handle());
    await t.until("what was taken comes to the first worker", () => seen.count >= expected.length, {
      withinMs: SOON_MS,
    });
    await t.never("more comes", () => seen.count > expected.length, { forMs: 1_000 });
    seen.assertEachOnce(expected, "the worker");
  },
};
