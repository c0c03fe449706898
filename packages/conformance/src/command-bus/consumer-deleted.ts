import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { Recorder } from "../delivery/recorder.ts";
import { command, commandBusOf, prepareQueue } from "./queue.ts";

export const consumerDeleted: ConformanceCase = {
  id: "command-bus/consumer-deleted",
  subject: "commandBus",
  guarantees: ["CB-18"],
  title: "a worker whose consumer was deleted behind its back comes back by itself",
  needs: ["deleteConsumer"],
  async run(t) {
    const bus = commandBusOf(t, await t.open());
    const worker = commandBusOf(t, await t.open());
    await prepareQueue(bus, "work");
    const seen = new Recorder(t.clock);
    await worker.work("work", { concurrency: 2 }, seen.handle());
    await bus.send([command("work", "before")]);
    await t.until("the worker works", () => seen.count === 1);
    await t.faults.deleteConsumer(t.namespace, "work");
    const after = ids("after", 20);
    await bus.send(after.map((id) => command("work", id)));
    await t.until("the same worker gets fresh messages", () => after.every((id) => seen.of(id).length > 0), {
      withinMs: 60_000,
    });
    seen.assertNoneLost(["before", ...after]);
  },
};
