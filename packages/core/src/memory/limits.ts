/** How much a memory server holds before the oldest goes or the newest is refused. */
export interface MemoryLimits {
  /** Events kept per namespace for listeners that are away, and events that may wait in one listener to be tried again. @default 100,000 */
  readonly maxEvents: number;
  /** Commands that wait in one queue; more are refused with `UNAVAILABLE`. @default 1,000,000 */
  readonly maxCommands: number;
  /** Dead letters kept per queue or listener; the oldest goes, with a warning. @default 100,000 */
  readonly maxDeadLetters: number;
  /** Events kept per run stream. @default 10,000 */
  readonly maxStreamEvents: number;
  /** Finished task records kept beyond which the oldest finished go early. @default 200,000 */
  readonly maxFinishedTasks: number;
  /** The longest message, input, result or event data. @default 8,388,608 */
  readonly maxPayloadBytes: number;
  /** How long a delivery stays with a holder that stopped renewing it. @default 10,000 */
  readonly leaseMs: number;
}

export const DEFAULT_MEMORY_LIMITS: MemoryLimits = {
  maxEvents: 100_000,
  maxCommands: 1_000_000,
  maxDeadLetters: 100_000,
  maxStreamEvents: 10_000,
  maxFinishedTasks: 200_000,
  maxPayloadBytes: 8 * 1024 * 1024,
  leaseMs: 10_000,
};
