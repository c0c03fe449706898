/** Every default of the SDK stands here and in the table of `docs/configuration.md`; a test compares the two. */
export const DEFAULTS = {
  /** Deliveries a worker handles at once, per queue. */
  concurrency: 10,
  /** How long a claim lasts without renewal; renewed at a third of it. */
  taskLeaseMs: 10_000,
  /** How long `stop()` waits for what runs. */
  stopTimeoutMs: 30_000,
  /** How often a worker looks for what a crash left behind. */
  sweepIntervalMs: 5_000,
  /** What is younger than this is left alone by the sweep. */
  sweepGraceMs: 30_000,
  /** How often a worker looks for due schedules, if none is due earlier. */
  schedulePollMs: 5_000,
  /** How late a schedule with `missed: "skip"` may be fired. */
  scheduleGraceMs: 60_000,
  /** How long a message of an unknown type or version comes back before it is dead-lettered. */
  unknownTypeMaxAgeMs: 3_600_000,
  /** The delay with which such a message comes back. */
  unknownTypeDelayMs: 5_000,
  /** How long a run's stream is kept after the run has ended. */
  streamTtlMs: 86_400_000,
  /** How long an event's completion is remembered where there is an inbox. */
  inboxWindowMs: 86_400_000,
  /** How often something that is awaited is looked up, beside the hints. */
  pollIntervalMs: 1_000,
  /** How long a settle waits for the run's stream. */
  streamFlushTimeoutMs: 1_000,
} as const;
