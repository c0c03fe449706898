import { isIntermodalError } from "@intermodal/core/ports";
import type { CaseContext } from "../case.ts";
import type { Message, Place } from "./place.ts";

/** Sends as an outbox does: the same messages again until the broker has taken them. */
export async function sendUntilTaken(
  t: CaseContext,
  place: Place,
  messages: readonly (string | Message)[],
  withinMs = 120_000,
): Promise<void> {
  const deadline = t.clock.now() + withinMs;
  for (;;) {
    try {
      return await place.send(messages);
    } catch (error) {
      if (!isIntermodalError(error, "UNAVAILABLE") || t.clock.now() > deadline) throw error;
      await t.sleep(200);
    }
  }
}
