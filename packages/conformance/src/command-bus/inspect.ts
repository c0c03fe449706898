import { ACK, type QueueInspection } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { ids } from "../delivery/place.ts";
import { gate } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { command, commandBusOf, prepareQueue } from "./queue.ts";

export const inspect: ConformanceCase = {
  id: "command-bus/inspect",
  subject: "commandBus",
  guarantees: ["CB-19"],
  title: "inspecting a queue tells what is ready, in flight, delayed and dead",
  async run(t) {
    const adapter = await t.open();
    const bus = commandBusOf(t, adapter);
    const { countsInFlight, countsDelayed, maxDelayMs } = bus.capabilities;
    /** What it declares that it can't tell must not be told. */
    const told = ({ inFlight, delayed, ...rest }: QueueInspection): QueueInspection => ({
      ...rest,
      inFlight: countsInFlight ? inFlight : undefined,
      delayed: countsDelayed ? delayed : undefined,
    });
    const empty = told({ ready: 0, inFlight: 0, delayed: 0, dead: 0 });
    equal(await bus.inspect("unknown"), empty, "an unknown queue");
    equal(await bus.deadLetters.list("unknown"), { items: [] }, "dead letters of an unknown queue");
    await prepareQueue(bus, "work");

    const stands = async (what: string, counts: QueueInspection) => {
      const expected = told(counts);
      let found: QueueInspection = empty;
      const same = async () => {
        found = await bus.inspect("work");
        return (Object.keys(expected) as (keyof QueueInspection)[]).every((key) => found[key] === expected[key]);
      };
      await t.until(what, same, { withinMs: SOON_MS }).catch(() => equal(found, expected, what));
    };
    const delayed = maxDelayMs >= 60_000 ? 2 : 0;
    await bus.send([
      ...ids("m", 5).map((id) => command("work", id)),
      ...ids("d", delayed).map((id) => command("work", id, 60_000)),
    ]);
    await stands("before a worker came", { ready: 5, inFlight: 0, delayed, dead: 0 });

    const release = gate();
    const consumption = await bus.work("work", { concurrency: 3 }, async ({ id }) => {
      if (id === "m-1") return { kind: "dead-letter", reason: "no good" };
      await release.opened;
      return ACK;
    });
    await stands("while three handlers run", { ready: 1, inFlight: 3, delayed, dead: 1 });
    release.open();
    await stands("after all were handled", { ready: 0, inFlight: 0, delayed, dead: 1 });
    await consumption.close();
  },
};
