import { isIntermodalError } from "@intermodal/core/ports";
import type { CaseContext } from "../case.ts";

/** How long a client may take to be back after an outage. */
export const BACK = { withinMs: 60_000 };

/** Repeats what rejects with `UNAVAILABLE`, as a caller would. */
export function persist(t: CaseContext, what: string, step: () => Promise<unknown>): Promise<void> {
  return t.until(
    what,
    () =>
      step().then(
        () => true,
        (error: unknown) => {
          if (isIntermodalError(error, "UNAVAILABLE")) return false;
          throw error;
        },
      ),
    BACK,
  );
}
