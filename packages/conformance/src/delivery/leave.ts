import { ACK, LEAVE, type Settlement } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { deliveryCase, ids } from "./place.ts";
import { gate, Recorder } from "./recorder.ts";
import { REDELIVERY_MS, SOON_MS } from "./timing.ts";

export const leave = deliveryCase({
  name: "leave",
  guarantees: { commandBus: ["CB-11"], eventBus: ["EB-13"] },
  title: "`leave` neither acknowledges nor returns the message",
  async run(t, place) {
    const [first, second] = [await t.open(), await t.open()];
    const left = new Recorder(t.clock);
    await place.consume(
      first,
      1,
      left.handle(() => LEAVE),
    );
    await place.send(["a"]);
    await t.until("the message was left", () => left.count === 1, { withinMs: SOON_MS });
    const seen = new Recorder(t.clock);
    await place.consume(second, 1, seen.handle());
    const twice = () => left.count + seen.count > 1;
    await t.never("the message was returned at once", twice, {
      forMs: Math.min(2_000, place.capabilities.leaseMs / 2),
    });
    equal((await place.dead.list()).items, [], "dead letters");
    await first.close();
    await t.until("it comes to another worker when its holder is gone", () => seen.count === 1, {
      withinMs: REDELIVERY_MS + 1_000,
    });
  },
});

const LATE: Readonly<Record<string, Settlement>> = {
  "m-1": LEAVE,
  "m-2": ACK,
  "m-3": { kind: "retry", delayMs: 0, counted: true },
  "m-4": { kind: "dead-letter", reason: "too late" },
};

export const lostSettlesNothing = deliveryCase({
  name: "lost-settles-nothing",
  guarantees: { commandBus: ["CB-2", "CB-11"], eventBus: ["EB-13"] },
  title: "a holder that lost its messages changes nothing on them, however it settles: they are their new holder's",
  needs: ["cut", "mend"],
  async run(t, place) {
    const [losing, winning] = [await t.open(), await t.open()];
    const messages = ids("m", 4);
    const lost = new Recorder(t.clock);
    const settleLate = gate();
    const late = lost.handle(async ({ id }) => {
      await settleLate.opened;
      return LATE[id] ?? LEAVE;
    });
    const consumption = await place.consume(losing, 4, late);
    await place.send(messages);
    await t.until("the first worker holds the messages", () => lost.count === 4, { withinMs: SOON_MS });
    await t.faults.cut(losing);
    const won = new Recorder(t.clock);
    const settle = gate();
    const first = won.handle(async ({ id }) => {
      if (won.of(id).length > 1) return ACK;
      await settle.opened;
      return { kind: "retry", delayMs: 100, counted: false };
    });
    await place.consume(winning, 4, first);
    await t.until("the second worker has them", () => won.count === 4, { withinMs: REDELIVERY_MS + SOON_MS });
    await t.faults.mend(losing);
    settleLate.open();
    await consumption.close({ timeoutMs: 10_000 });
    await t.never("a late settlement returned a message", () => won.count > 4, { forMs: 2_000 });
    equal((await place.dead.list()).items, [], "dead letters by a late settlement");
    settle.open();
    await t.until("the second worker's retries come back", () => won.count === 8, { withinMs: SOON_MS });
    equal(won.ids().sort(), [...messages, ...messages].sort(), "what the second worker was given");
  },
});
