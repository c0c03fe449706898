import { ACK } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { event, LISTENER, onNats, recorder, SOON } from "./nats-stage.ts";

const LISTENERS_DURABLE = "l_shop=_reader";

await onNats("processes of two versions on one durable", (stage) => {
  const ackWait = async (stream: string, durable: string) =>
    (await stage.manager.consumers.info(stream, durable)).config.ack_wait;

  test("an old one that comes back takes no types from those that are newer", async () => {
    const heard = recorder();
    const [A, B] = [await stage.process(), await stage.process()];
    const options = { from: "earliest" as const, concurrency: 1 };
    await A.eventBus.listen(LISTENER, { ...options, types: ["a"] }, heard.handle);
    await B.eventBus.listen(LISTENER, { ...options, types: ["a", "b"] }, heard.handle);
    const waiting = async () => (await stage.manager.consumers.info(stage.events, LISTENERS_DURABLE)).num_waiting;
    await vi.waitFor(async () => expect(await waiting()).toBe(2), SOON);
    A.proxy.cut();
    await vi.waitFor(async () => expect(await waiting()).toBe(1), SOON);
    A.proxy.mend();
    await vi.waitFor(async () => expect(await waiting()).toBe(2), SOON);
    await B.eventBus.publish([event("new", "b"), event("old", "a")]);
    await vi.waitFor(() => expect(heard.ids().sort()).toEqual(["new", "old"]), SOON);
  });

  test("one with a shorter lease takes nothing from those that renew by a longer one", async () => {
    const [A, B] = [await stage.process({ leaseMs: 10_000 }), await stage.process({ leaseMs: 2_000 })];
    await A.commandBus.work("work", { concurrency: 1 }, async () => ACK);
    await B.commandBus.work("work", { concurrency: 1 }, async () => ACK);
    expect(await ackWait(stage.tasks, "q_work")).toBe(10_000 * 1e6);
  });

  test("a lease that is longer than any may be is shortened", async () => {
    const A = await stage.process();
    await (await A.commandBus.work("work", { concurrency: 1 }, async () => ACK)).close();
    await stage.manager.consumers.update(stage.tasks, "q_work", { ack_wait: 60_000 * 1e6 });
    await A.commandBus.work("work", { concurrency: 1 }, async () => ACK);
    expect(await ackWait(stage.tasks, "q_work")).toBe(3_000 * 1e6);
  });
});
