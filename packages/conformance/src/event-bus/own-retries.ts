import { ACK, type DeadLetter, listenerKey } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { Recorder } from "../delivery/recorder.ts";
import { SOON_MS } from "../delivery/timing.ts";
import { event, eventBusOf, named, probes } from "./listener.ts";

export const ownRetries: ConformanceCase = {
  id: "event-bus/own-retries",
  subject: "eventBus",
  guarantees: ["EB-6"],
  title: "a retry reaches only the listener that asked for it",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    const [failing, other] = [new Recorder(t.clock), new Recorder(t.clock)];
    const handle = failing.handle(() => (failing.count < 3 ? { kind: "retry", delayMs: 200, counted: true } : ACK));
    await bus.listen(named("failing"), probes(), handle);
    await bus.listen(named("other"), probes(), other.handle());
    await bus.publish([event("a")]);
    await t.until("the failing listener tried three times", () => failing.count === 3, { withinMs: SOON_MS });
    await t.never("more was delivered", () => failing.count > 3 || other.count > 1, { forMs: 2_000 });
    equal(
      failing.seen.map(({ delivery }) => delivery.attempt),
      [1, 2, 3],
      "attempts of the failing listener",
    );
    equal(
      other.seen.map(({ delivery }) => delivery.attempt),
      [1],
      "attempts of the other",
    );
  },
};

export const ownDeadLetters: ConformanceCase = {
  id: "event-bus/own-dead-letters",
  subject: "eventBus",
  guarantees: ["EB-6"],
  title: "each listener's dead letters are listed, replayed and discarded apart from others'",
  async run(t) {
    const bus = eventBusOf(t, await t.open());
    const names = ["first", "second", "healthy"].map((name) => named(name));
    const seen = new Map(names.map((name) => [listenerKey(name), new Recorder(t.clock)]));
    for (const name of names) {
      const recorder = seen.get(listenerKey(name));
      const handle = recorder?.handle(() => {
        return name.listener === "healthy" || recorder.count > 1
          ? ACK
          : { kind: "dead-letter", reason: `${name.listener} can't` };
      });
      if (handle) await bus.listen(name, probes({ concurrency: 1 }), handle);
    }
    await bus.publish([event("a")]);
    const dead = async (): Promise<DeadLetter[][]> => {
      const pages = await Promise.all(names.map((name) => bus.deadLetters.list(listenerKey(name))));
      return pages.map(({ items }) => [...items]);
    };
    const reasons = async () => (await dead()).map((letters) => letters.map(({ reason }) => reason));
    const both = async () => (await dead()).flat().length >= 2;
    await t.until("both failing listeners have a dead letter", both, { withinMs: SOON_MS });
    equal(await reasons(), [["first can't"], ["second can't"], []], "dead letters by listener");
    const [first, second] = await dead();
    equal(
      await bus.deadLetters.replay("service/first", first?.map((letter) => letter.deadLetterId) ?? []),
      1,
      "replayed",
    );
    await t.until("it comes to its own listener again", () => seen.get("service/first")?.count === 2, {
      withinMs: SOON_MS,
    });
    await t.sleep(1_000);
    equal(
      [...seen.values()].map((recorder) => recorder.count),
      [2, 1, 1],
      "deliveries by listener after the replay",
    );
    equal(await reasons(), [[], ["second can't"], []], "dead letters after the replay");
    equal(
      await bus.deadLetters.discard("service/second", second?.map((letter) => letter.deadLetterId) ?? []),
      1,
      "discarded",
    );
    equal(await reasons(), [[], [], []], "dead letters in the end");
    equal(await bus.deadLetters.list("service/unknown"), { items: [] }, "dead letters of an unknown listener");
  },
};
