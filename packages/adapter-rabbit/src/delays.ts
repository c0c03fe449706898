const DAY_MS = 86_400_000;
const FIRST_MS: readonly number[] = [100, 250, 500, 1_000];

/**
 * How long the queues of the ladder keep messages. Each message has its own time to live, but a queue expires messages at its head only: one may
 * wait behind another, and no longer than its queue's own time. So the ratio of two neighbours bounds how late it can be.
 */
export const RUNGS_MS: readonly number[] = ladder();

/** The longest delay: a day. */
export const MAX_DELAY_MS = DAY_MS;

/** The shortest rung that is no shorter than a delay of at most {@link MAX_DELAY_MS}. */
export function rungFor(delayMs: number): number {
  return RUNGS_MS.find((rung) => rung >= delayMs) ?? DAY_MS;
}

function ladder(): number[] {
  const rungs = [...FIRST_MS];
  for (let rung = 1_200; rung < DAY_MS; rung = Math.floor((rung * 1.2) / 100) * 100) rungs.push(rung);
  return [...rungs, DAY_MS];
}
