import { fail } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import type { Stream } from "./stream.ts";

/** Events appended at once. */
export const BATCH = 500;

/**
 * Writes on, `keepUp` after each batch, until the cap has taken something that came after `from`.
 * @returns how many were written, and how many of them are gone.
 */
export async function overflow(
  t: CaseContext,
  stream: Stream,
  from = 0,
  keepUp: (last: number) => Promise<void> = async () => {},
): Promise<{ readonly last: number; readonly gone: number }> {
  const { maxEvents } = stream.port.capabilities;
  if (!Number.isFinite(maxEvents)) t.skip("this stream has no cap");
  // A cap may be kept approximately, but not without end.
  for (let last = from; last <= from + 2 * maxEvents + 2 * BATCH; last += BATCH) {
    await stream.write("s", "w", last + 1, last + BATCH);
    await keepUp(last + BATCH);
    if (last + BATCH <= maxEvents) continue;
    const { gap } = await stream.port.read("s", { limit: 1 });
    if (gap !== undefined && gap.to > from) return { last: last + BATCH, gone: gap.to };
  }
  fail(`${2 * maxEvents} events were written past a cap of ${maxEvents}, and none is gone`);
}
