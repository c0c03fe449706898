import { ACK, type Clock, systemClock } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { command, onNats, SOON } from "./nats-stage.ts";

const HOUR_MS = 3_600_000;
const DELAY_MS = 1_500;

/** The machine's clock, as somebody sets it. */
class SetClock implements Clock {
  aheadMs = 0;

  now(): number {
    return systemClock.now() + this.aheadMs;
  }

  schedule(delayMs: number, run: () => void): () => void {
    return systemClock.schedule(delayMs, run);
  }
}

await onNats("a clock that is set moves no delay", (stage) => {
  const cases = [HOUR_MS, -HOUR_MS, 1_000, -1_000].flatMap((ms) => [true, false].map((before) => ({ ms, before })));
  test.each(cases)("by $ms ms, before it was sent: $before", async ({ ms, before }) => {
    const clock = new SetClock();
    const { commandBus } = stage.make({ clock });
    await commandBus.work("another", { concurrency: 1 }, async () => ACK);
    const ended: number[] = [];
    // What goes into a stream is heard by everyone.
    stage.operator.subscribe(`im.${stage.namespace}.cmd.work`, { callback: () => void ended.push(performance.now()) });
    await commandBus.send([command("warm", 100)]);
    await vi.waitFor(() => expect(ended).toHaveLength(1), SOON);
    if (before) clock.aheadMs = ms;
    const sentAt = performance.now();
    await commandBus.send([command("delayed", DELAY_MS)]);
    clock.aheadMs = ms;
    await vi.waitFor(() => expect(ended).toHaveLength(2), SOON);
    const tookMs = (ended[1] ?? 0) - sentAt;
    expect(tookMs).toBeGreaterThan(DELAY_MS - 10);
    expect(tookMs).toBeLessThan(DELAY_MS + 900);
  });
});
