import { ACK, type Delivery, type Settlement } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { event, LISTENER, onNats, recorder, SOON } from "./nats-stage.ts";

/** The first time, what their names say. */
function settle({ id, attempt }: Delivery, replayed: boolean): Settlement {
  if (replayed || attempt > 1) return ACK;
  if (id.startsWith("dead")) return { kind: "dead-letter", reason: "bad" };
  return { kind: "retry", delayMs: 300, counted: true };
}

await onNats("a stream that is made anew counts from 1 again", (stage) => {
  function listening() {
    const { eventBus } = stage.make();
    const replayed = new Set<string>();
    const { handle, tries } = recorder((delivery) => settle(delivery, replayed.has(delivery.id)));
    const { deadLetters } = eventBus;
    return {
      tries,
      dead: async () => (await deadLetters.list("shop/reader")).items.map(({ id }) => id),
      listen: () => eventBus.listen(LISTENER, { types: ["a"], from: "earliest", concurrency: 5 }, handle),
      publish: (id: string) => eventBus.publish([event(id)]),
      replay: async () => {
        const { items } = await deadLetters.list("shop/reader");
        for (const { id } of items) replayed.add(id);
        return deadLetters.replay(
          "shop/reader",
          items.map(({ deadLetterId }) => deadLetterId),
        );
      },
    };
  }

  test("what becomes of its messages is not taken for what became of others", async () => {
    const { tries, dead, listen, publish } = listening();
    await listen();
    for (const id of ["dead-1", "again-1"]) await publish(id);
    await vi.waitFor(() => expect(tries()).toEqual(["dead-1 1", "again-1 1", "again-1 2"]), SOON);
    await stage.manager.streams.delete(stage.events);
    for (const id of ["dead-2", "again-2"]) await publish(id);
    await vi.waitFor(() => expect(tries().slice(3)).toEqual(["dead-2 1", "again-2 1", "again-2 2"]), SOON);
    await vi.waitFor(async () => expect(await dead()).toEqual(["dead-1", "dead-2"]), SOON);
  });

  test("a message whose delay has ended is not taken for another one", async () => {
    const { tries, listen, publish } = listening();
    await listen();
    await publish("again-1");
    await vi.waitFor(() => expect(tries()).toEqual(["again-1 1", "again-1 2"]), SOON);
    await stage.manager.streams.delete(stage.tasks);
    await publish("again-2");
    await vi.waitFor(() => expect(tries().slice(2)).toEqual(["again-2 1", "again-2 2"]), SOON);
  });

  test("a dead letter that is replayed is not taken for another one", async () => {
    const { tries, dead, listen, publish, replay } = listening();
    await listen();
    for (const id of ["dead-1", "dead-2"]) {
      await publish(id);
      await vi.waitFor(async () => expect(await dead()).toEqual([id]), SOON);
      expect(await replay()).toBe(1);
      await vi.waitFor(() => expect(tries().slice(-2)).toEqual([`${id} 1`, `${id} 1`]), SOON);
      await stage.manager.streams.delete(stage.tasks);
    }
  });
});
