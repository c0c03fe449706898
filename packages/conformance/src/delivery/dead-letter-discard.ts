import { equal } from "../assert.ts";
import { allDead, makeDead } from "./dead-letters.ts";
import { deliveryCase } from "./place.ts";

export const deadLetterDiscard = deliveryCase({
  name: "dead-letter-discard",
  guarantees: { commandBus: ["CB-7"], eventBus: ["EB-6"] },
  title: "discarded dead letters are gone, the others stay",
  async run(t, place) {
    const again = await makeDead(t, place, ["a", "b", "c"]);
    const letters = await allDead(place);
    const b = letters.find(({ id }) => id === "b")?.deadLetterId ?? "missing";
    equal(await place.dead.discard([b, "no-such-dead-letter"]), 1, "how many of the ids were there");
    equal(await place.dead.discard([b]), 0, "how many were there the second time");
    equal(await place.dead.replay([b]), 0, "how many could still be replayed");
    const left = (await allDead(place)).map(({ id }) => id).sort();
    equal(left, ["a", "c"], "dead letters in the end");
    await t.never("a discarded message was delivered", () => again.count > 0, { forMs: 1_000 });
  },
});
