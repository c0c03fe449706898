import { type DeadLetter, LEAVE } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import { deliveryCase } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

const BODY = Uint8Array.from({ length: 256 }, (_, byte) => 255 - byte);
const REASON = 'cannot be used: "ü" → 中\nsecond line';
const ONE_MINUTE_MS = 60_000;

export const deadLetterOnce = deliveryCase({
  name: "dead-letter-once",
  guarantees: { commandBus: ["CB-6"], eventBus: ["EB-6"] },
  title: "a dead letter is put aside exactly once, with its original bytes, reason and attempts",
  async run(t, place) {
    const seen = new Recorder(t.clock);
    const handle = seen.handle(() => {
      if (seen.count === 1) return { kind: "retry", delayMs: 50, counted: true };
      return seen.count === 2 ? { kind: "dead-letter", reason: REASON } : LEAVE;
    });
    await place.consume(await t.open(), 1, handle);
    await place.send([{ id: "a", type: "probe", body: BODY }]);
    let letters: readonly DeadLetter[] = [];
    const listed = async () => {
      letters = (await place.dead.list()).items;
      return letters.length > 0;
    };
    await t.until("the message is among the dead letters", listed, { withinMs: SOON_MS });
    await t.never("it was delivered again", () => seen.count > 2, { forMs: 2_000 });
    await listed();
    equal(letters.length, 1, "dead letters");
    const [letter] = letters;
    assert(letter, "there is one");
    const { id, type, body, reason, attempts } = letter;
    equal({ id, type, reason, attempts }, { id: "a", type: "probe", reason: REASON, attempts: 2 }, "the dead letter");
    equal(body, BODY, "its bytes");
    assert(
      Math.abs(letter.deadAt - t.clock.now()) < ONE_MINUTE_MS,
      `deadAt ${letter.deadAt} is not when it was put aside`,
    );
  },
});
