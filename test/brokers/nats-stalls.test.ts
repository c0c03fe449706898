import { setTimeout as sleep } from "node:timers/promises";
import { ACK } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { command, onNats, SOON } from "./nats-stage.ts";

await onNats("a NATS server or a process that stands still for a while", (stage) => {
  test("close() waits for the server no longer than its limit", async () => {
    const A = await stage.process();
    const consumption = await A.commandBus.work("work", { concurrency: 1 }, async () => ACK);
    await stage.server.freeze();
    try {
      const closed = consumption.close({ timeoutMs: 200 }).then(() => "closed");
      expect(await Promise.race([closed, sleep(2_000, "still open")])).toBe("closed");
    } finally {
      await stage.server.unfreeze();
    }
  });

  test("what came while the process was blocked is renewed before its lease ends", async () => {
    const [leaseMs, blockMs] = [3_000, 2_500];
    const A = await stage.process({ leaseMs });
    const attempts: number[] = [];
    const ended = vi.fn();
    // Both come at once.
    await A.commandBus.send([command("blocks"), command("waits")]);
    await A.commandBus.work("work", { concurrency: 4 }, async ({ id, attempt }) => {
      if (id === "blocks") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
      else {
        attempts.push(attempt);
        await sleep(leaseMs);
        ended();
      }
      return ACK;
    });
    await vi.waitFor(() => expect(ended).toHaveBeenCalled(), SOON);
    expect(attempts).toEqual([1]);
  });
});
