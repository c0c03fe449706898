import { assert, equal } from "../assert.ts";
import { allDead, makeDead } from "./dead-letters.ts";
import { deliveryCase, ids } from "./place.ts";

const COUNT = 25;
const PAGE = 10;

export const deadLetterPages = deliveryCase({
  name: "dead-letter-pages",
  guarantees: { commandBus: ["CB-7"], eventBus: ["EB-6"] },
  title: "dead letters are listed in pages, in the order they died, and listing changes nothing",
  async run(t, place) {
    equal(await place.dead.list(), { items: [] }, "dead letters before any message died");
    const messages = ids("m", COUNT);
    await makeDead(t, place, messages);
    const page = await place.dead.list({ limit: PAGE });
    equal(page.items.length, PAGE, "items of the first page");
    assert(page.next !== undefined, "the first page names the next one");
    const letters = await allDead(place, PAGE);
    equal(letters.map(({ id }) => id).sort(), [...messages].sort(), "the messages on all pages");
    equal(new Set(letters.map(({ deadLetterId }) => deadLetterId)).size, COUNT, "different ids of dead letters");
    const times = letters.map(({ deadAt }) => deadAt);
    equal(
      times,
      [...times].sort((a, b) => a - b),
      "the times at which they died, as listed",
    );
    equal(await allDead(place, PAGE), letters, "a second listing");
  },
});
