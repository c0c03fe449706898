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
  title: "a dead letter is put aside exactly once, with its original bytes, the reason and the tries it had",
  async run(t, place) {
    const seen = new Recorder(t.clock);
    const handle = seen.handle(({ id }) => {
      const deliveries = seen.of(id).length;
      if (deliveries === 1) return { kind: "retry", delayMs: 50, counted: true };
      if (deliveries > 2) return LEAVE;
      // Of the last try there was none: the message was refused.
      return { kind: "dead-letter", reason: REASON, ...(id === "refused" && { attempts: 1 }) };
    });
    await place.consume(await t.open(), 1, handle);
    await place.send(["failed", "refused"].map((id) => ({ id, type: "probe", body: BODY })));
    let letters: readonly DeadLetter[] = [];
    const listed = async () => {
      letters = (await place.dead.list()).items;
      return letters.length > 1;
    };
    await t.until("the messages are among the dead letters", listed, { withinMs: SOON_MS });
    await t.never("one was delivered again", () => seen.count > 4, { forMs: 2_000 });
    await listed();
    const told = letters.map(({ id, type, reason, attempts }) => ({ id, type, reason, attempts }));
    const common = { type: "probe", reason: REASON };
    equal(
      told.sort((a, b) => a.attempts - b.attempts),
      [
        { id: "refused", ...common, attempts: 1 },
        { id: "failed", ...common, attempts: 2 },
      ],
      "the dead letters",
    );
    for (const { body, deadAt } of letters) {
      equal(body, BODY, "its bytes");
      assert(Math.abs(deadAt - t.clock.now()) < ONE_MINUTE_MS, `deadAt ${deadAt} is not when it was put aside`);
    }
  },
});
