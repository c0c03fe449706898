import { ACK } from "@intermodal/core/ports";
import { rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { Recorder } from "../delivery/recorder.ts";
import { command, commandBusOf, prepareQueue } from "./queue.ts";

export const closed: ConformanceCase = {
  id: "command-bus/closed",
  subject: "commandBus",
  guarantees: ["CB-21"],
  title:
    "after close() every method rejects with CLOSED and nothing is delivered to this client; closing again is harmless",
  async run(t) {
    const adapter = await t.open();
    const bus = commandBusOf(t, adapter);
    await prepareQueue(bus, "work");
    const seen = new Recorder(t.clock);
    await bus.work("work", { concurrency: 1 }, seen.handle());
    await adapter.close();
    await adapter.close();
    await rejects("send", "CLOSED", () => bus.send([command("work", "a")]));
    await rejects("work", "CLOSED", () => bus.work("work", { concurrency: 1 }, async () => ACK));
    await rejects("inspect", "CLOSED", () => bus.inspect("work"));
    await rejects("deadLetters.list", "CLOSED", () => bus.deadLetters.list("work"));
    await rejects("deadLetters.replay", "CLOSED", () => bus.deadLetters.replay("work", ["x"]));
    await rejects("deadLetters.discard", "CLOSED", () => bus.deadLetters.discard("work", ["x"]));
    const other = commandBusOf(t, await t.open());
    await other.send([command("work", "b")]);
    await t.never("a closed client was given a message", () => seen.count > 0, { forMs: 1_000 });
    const next = new Recorder(t.clock);
    await other.work("work", { concurrency: 1 }, next.handle());
    await t.until("another client gets it", () => next.of("b").length === 1);
  },
};
