import { setTimeout as sleep } from "node:timers/promises";
import { ACK } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { command, event, holder, LISTENER, onNats, recorder, SOON } from "./nats-stage.ts";

/** What is held for longer is looked after before it is settled. */
const LONG_MS = 600;

await onNats("what an operator deletes and another process makes anew", (stage) => {
  test("a stream of events: a listener that was busy gets all of the new one", async () => {
    const [busy, heard] = [holder(), recorder()];
    const [L, P] = [await stage.process(), await stage.process()];
    const listen = () =>
      L.eventBus.listen(LISTENER, { types: ["a"], from: "earliest", concurrency: 1 }, (delivery) =>
        (delivery.id === "busy" ? busy : heard).handle(delivery),
      );
    const first = await listen();
    const old = Array.from({ length: 10 }, (_, n) => `old-${n}`);
    await P.eventBus.publish(old.map((id) => event(id)));
    await vi.waitFor(() => expect(heard.ids()).toHaveLength(old.length), SOON);
    await first.close();
    // It sees that all of them were handled.
    await listen();
    await P.eventBus.publish([event("busy")]);
    const { end } = await busy.held("busy");
    await stage.manager.streams.delete(stage.events);
    await P.eventBus.publish([event("new-1"), event("new-2"), event("new-3")]);
    end();
    await vi.waitFor(() => expect(heard.ids().slice(old.length).sort()).toEqual(["new-1", "new-2", "new-3"]), SOON);
  });

  test("a stream of commands: who holds a message of the old one settles none of the new one", async () => {
    const [a, b] = [holder(), holder()];
    const [A, B] = [await stage.process(), await stage.process()];
    await A.commandBus.work("work", { concurrency: 1 }, a.handle);
    await A.commandBus.send([command("old")]);
    const old = await a.held("old");
    await stage.manager.streams.delete(stage.tasks);
    await B.commandBus.work("work", { concurrency: 1 }, b.handle);
    await B.commandBus.send([command("new")]);
    await b.held("new");
    await sleep(LONG_MS);
    old.end();
    await vi.waitFor(() => expect(old.delivery.signal.aborted).toBe(true), SOON);
    expect(await stage.stored(stage.tasks)).toBe(1);
    // From now on it is one of the new one's workers.
    await B.commandBus.send([command("next")]);
    (await a.held("next")).end();
    await vi.waitFor(async () => expect(await stage.stored(stage.tasks)).toBe(1), SOON);
  });

  test.each(["away", "back"])(
    "a stream of commands: nor does one that was cut off meanwhile and ended while it was %s",
    async (when) => {
      const [a, b] = [holder(), holder()];
      const [A, B] = [await stage.process(), await stage.process()];
      await A.commandBus.work("work", { concurrency: 1 }, a.handle);
      await A.commandBus.send([command("old")]);
      const old = await a.held("old");
      A.proxy.cut();
      await stage.manager.streams.delete(stage.tasks);
      await B.commandBus.work("work", { concurrency: 1 }, b.handle);
      await B.commandBus.send([command("new")]);
      await b.held("new");
      if (when === "away") old.end();
      A.proxy.mend();
      if (when === "back") {
        await vi.waitFor(() => expect(A.proxy.connections).toBe(1), { ...SOON, interval: 1 });
        old.end();
      }
      await vi.waitFor(() => expect(old.delivery.signal.aborted).toBe(true), SOON);
      expect(await stage.stored(stage.tasks)).toBe(1);
    },
  );

  test.each(["was answered by nobody", "was lost with the connection"])(
    "a stream of commands: nor does one whose acknowledgement %s",
    async (how) => {
      const [a, b] = [holder(), holder()];
      const [A, B] = [await stage.process(), await stage.process()];
      await A.commandBus.work("work", { concurrency: 1 }, a.handle);
      await A.commandBus.send([command("old")]);
      const old = await a.held("old");
      if (how === "was answered by nobody") {
        await stage.manager.streams.delete(stage.tasks);
        old.end();
        await sleep(50);
      } else {
        A.proxy.blackHole();
        old.end();
        await sleep(50);
        A.proxy.cut();
        await stage.manager.streams.delete(stage.tasks);
      }
      await B.commandBus.work("work", { concurrency: 1 }, b.handle);
      await B.commandBus.send([command("new")]);
      await b.held("new");
      A.proxy.mend();
      await vi.waitFor(() => expect(old.delivery.signal.aborted).toBe(true), SOON);
      expect(await stage.stored(stage.tasks)).toBe(1);
    },
  );

  test("a consumer: who holds a message of the old one does not settle it for who has it from the new one", async () => {
    const [a, b] = [holder(), holder()];
    const [A, B] = [await stage.process(), await stage.process()];
    await A.commandBus.work("work", { concurrency: 1 }, a.handle);
    await A.commandBus.send([command("x")]);
    const held = await a.held("x");
    await stage.manager.consumers.delete(stage.tasks, "q_work");
    await B.commandBus.work("work", { concurrency: 1 }, b.handle);
    await b.held("x");
    await sleep(LONG_MS);
    held.end();
    await vi.waitFor(() => expect(held.delivery.signal.aborted).toBe(true), SOON);
    expect(await stage.stored(stage.tasks)).toBe(1);
  });

  test("a stream of events: what was trimmed of the new one is told, though more was told of the old one", async () => {
    const gaps: number[] = [];
    const P = await stage.process();
    const listen = () =>
      P.eventBus.listen(
        LISTENER,
        { types: ["a"], from: "earliest", concurrency: 1, onGap: (missed) => gaps.push(missed) },
        async () => ACK,
      );
    const miss = async (missed: number, round: string) => {
      await (await listen()).close();
      await P.eventBus.publish(Array.from({ length: missed + 1 }, (_, n) => event(`${round}-${n}`)));
      await stage.manager.streams.update(stage.events, { max_msgs: 1 });
      await stage.manager.streams.update(stage.events, { max_msgs: -1 });
      const before = gaps.length;
      const again = await listen();
      await vi.waitFor(() => expect(gaps.slice(before)).toEqual([missed]), SOON);
      await again.close();
    };
    await miss(20, "first");
    await stage.manager.streams.delete(stage.events);
    await miss(9, "second");
    await stage.manager.streams.delete(stage.events);
    await miss(9, "third");
  });
});
