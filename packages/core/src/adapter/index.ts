/**
 * What adapters over a network have in common: holding deliveries, sharing connections, coming back, answering for batches, and task state over a store that compares and sets.
 * @packageDocumentation
 */
export { assertAllTaken, takeAll } from "./batch.ts";
export { CONTENTION_PATIENCE_MS, pauseForOthers } from "./contention.ts";
export { decodeCursor, encodeCursor } from "./cursor.ts";
export { Deadlines } from "./deadlines.ts";
export { answersOf, inParts, partsOf, type Tried, tryEach } from "./each.ts";
export { FollowLog } from "./follow-log.ts";
export { Handling, type HandlingOptions } from "./handling.ts";
export { HeldDelivery, type Received } from "./held-delivery.ts";
export { limitOf, matches } from "./listing.ts";
export type { LogPage, LogSource } from "./log-source.ts";
export {
  OptimisticTaskStateStore,
  type OptimisticTasks,
  type RecoveryCandidate,
  type SweepTable,
} from "./optimistic-task-state-store.ts";
export { freezePayload, takePayload } from "./payload.ts";
export { type PersistOptions, persist } from "./persist.ts";
export type { Change, Reading, RecordTable } from "./record-table.ts";
export { eventForgotten, invalidCursor, MAX_EVENT_DATA_BYTES, streamEnded, takeRunEvent } from "./run-events.ts";
export { ServerClock } from "./server-clock.ts";
export { Shared } from "./shared.ts";
