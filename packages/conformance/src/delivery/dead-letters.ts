import { ACK, type DeadLetter, type Delivery, type Settlement } from "@intermodal/core/ports";
import type { CaseContext } from "../case.ts";
import type { Place } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

/** All dead letters of a place, page by page. */
export async function allDead(place: Place, limit = 100): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  let cursor: string | undefined;
  do {
    const page = await place.dead.list({ limit, cursor });
    letters.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return letters;
}

/** Makes messages dead, one after the other, and goes on consuming: what comes again is settled by `then`. */
export async function makeDead(
  t: CaseContext,
  place: Place,
  messages: readonly string[],
  then: (delivery: Delivery) => Settlement = () => ACK,
): Promise<Recorder> {
  const again = new Recorder(t.clock);
  const died = new Set<string>();
  const noteAgain = again.handle(then);
  await place.consume(await t.open(), 1, async (delivery) => {
    if (died.has(delivery.id)) return noteAgain(delivery);
    died.add(delivery.id);
    return { kind: "dead-letter", reason: `${delivery.id} is no good` };
  });
  await place.send(messages);
  const all = async () => (await allDead(place)).length === messages.length;
  await t.until("all messages are among the dead letters", all, { withinMs: SOON_MS });
  return again;
}
