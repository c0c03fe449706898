import { ACK } from "@intermodal/core/ports";
import { assert, rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { Recorder } from "../delivery/recorder.ts";
import { assertDelayed, latest } from "../delivery/timing.ts";
import { command, commandBusOf, prepareQueue } from "./queue.ts";

/** Delays that some broker's timers can't hold: 2^31 ms overflows Node's own. */
const VERY_LONG_MS = 2 ** 31 + 1_000;

export const delayedSend: ConformanceCase = {
  id: "command-bus/delayed-send",
  subject: "commandBus",
  guarantees: ["CB-10", "CB-15"],
  title:
    "a delayed message is never early, late by at most 20 % + 1 s, and holds up no other; a delay past the limit is refused",
  async run(t) {
    const adapter = await t.open();
    const bus = commandBusOf(t, adapter);
    const { maxDelayMs } = bus.capabilities;
    await prepareQueue(bus, "work");
    const seen = new Recorder(t.clock);
    await bus.work(
      "work",
      { concurrency: 1 },
      seen.handle(() => ACK),
    );
    const tooLong = maxDelayMs + 1_000;
    if (Number.isSafeInteger(tooLong)) {
      const batch = [command("work", "too-long", tooLong), command("work", "beside")];
      await rejects(`a delay of ${tooLong} ms`, "NOT_SUPPORTED", bus.send(batch));
      await t.until("the rest of the batch was sent", () => seen.of("beside").length === 1);
    }
    const sentAt = t.clock.now();
    const longest = [VERY_LONG_MS, 60_000].filter((delayMs) => delayMs <= maxDelayMs);
    const delays = [0, 500, 1_000, 3_000].filter((delayMs) => delayMs <= maxDelayMs);
    await bus.send(longest.map((delayMs) => command("work", String(delayMs), delayMs)));
    await bus.send(delays.map((delayMs) => command("work", String(delayMs), delayMs)));
    const all = () => delays.every((delayMs) => seen.of(String(delayMs)).length > 0);
    await t.until("all short delays ended", all, { withinMs: latest(Math.max(...delays)) + 5_000 });
    for (const delayMs of delays)
      assertDelayed(`the message delayed ${delayMs} ms`, (seen.of(String(delayMs))[0]?.at ?? 0) - sentAt, delayMs);
    await t.never(
      "a message came twice, or one that was refused came",
      () => seen.of("too-long").length > 0 || seen.count > delays.length + 1,
      {
        forMs: 2_000,
      },
    );
    for (const delayMs of longest)
      assert(seen.of(String(delayMs)).length === 0, `the message delayed ${delayMs} ms came early`);
  },
};
