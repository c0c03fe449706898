import { isIntermodalError } from "@intermodal/core";
import type { Trouble } from "./trouble.ts";

/** What a client suffers, at one call after the other. */
export const TITLES = {
  refused: "finds a server away at each call of",
  lost: "loses the answer of each call of",
} as const satisfies Partial<Record<Trouble, string>>;

export type Loss = keyof typeof TITLES;

/** Repeats what failed for want of a server, as a caller would. */
export async function repeated<T>(
  what: () => Promise<T>,
  accepted: (error: unknown) => boolean = () => false,
): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    try {
      await what();
      return;
    } catch (error) {
      if (accepted(error)) return;
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
    }
  }
}
