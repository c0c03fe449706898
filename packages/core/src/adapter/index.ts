/**
 * What adapters over a network have in common: holding deliveries, sharing connections, coming back, answering for batches.
 * @packageDocumentation
 */
export { assertAllTaken, takeAll } from "./batch.ts";
export { Handling, type HandlingOptions } from "./handling.ts";
export { HeldDelivery, type Received } from "./held-delivery.ts";
export { type PersistOptions, persist } from "./persist.ts";
export { Shared } from "./shared.ts";
