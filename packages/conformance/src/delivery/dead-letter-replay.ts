import { ACK } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { allDead, makeDead } from "./dead-letters.ts";
import { deliveryCase, utf8 } from "./place.ts";
import { SOON_MS } from "./timing.ts";

export const deadLetterReplay = deliveryCase({
  name: "dead-letter-replay",
  guarantees: { commandBus: ["CB-7"], eventBus: ["EB-6"] },
  title: "replayed dead letters come again with a fresh attempt count and are dead letters no more; the others stay",
  async run(t, place) {
    const again = await makeDead(t, place, ["a", "b", "c"], ({ id, attempt }) => {
      if (id === "a" && attempt === 1) return { kind: "retry", delayMs: 50, counted: true };
      return id === "b" ? { kind: "dead-letter", reason: "still no good" } : ACK;
    });
    const letters = await allDead(place);
    const idOf = (message: string) => letters.find(({ id }) => id === message)?.deadLetterId ?? "missing";
    equal(await place.dead.replay([idOf("a"), idOf("b"), "no-such-dead-letter"]), 2, "how many of the ids were there");
    await t.until(
      "the replayed messages were handled",
      () => again.of("a").length === 2 && again.of("b").length === 1,
      {
        withinMs: SOON_MS,
      },
    );
    equal(
      again.of("a").map(({ delivery }) => delivery.attempt),
      [1, 2],
      "attempts after the replay",
    );
    equal(again.of("a")[0]?.delivery.body, utf8("a"), "the bytes of the replayed message");
    const left = async () => (await allDead(place)).map(({ id, reason }) => `${id}: ${reason}`).sort();
    const expected = ["b: still no good", "c: c is no good"];
    await t.until("what died again is listed once more", async () => (await left()).includes("b: still no good"), {
      withinMs: SOON_MS,
    });
    equal(await left(), expected, "dead letters in the end");
    await t.never("more was delivered", () => again.count > 3, { forMs: 1_000 });
  },
});
