/**
 * What an adapter implements and may use: the ports, the record they keep, the pure steps of its life, and the errors to raise.
 * Applications import `@intermodal/core` instead.
 * @packageDocumentation
 */
export {
  BatchError,
  type ErrorCode,
  IntermodalError,
  type IntermodalErrorOptions,
  isIntermodalError,
  messageOf,
  redact,
} from "../errors.ts";
export * from "../lifecycle/record.ts";
export * from "../lifecycle/transitions.ts";
export { checkName, encodeName } from "../wire/names.ts";
export * from "./adapter.ts";
export * from "./clock.ts";
export * from "./command-bus.ts";
export * from "./delivery.ts";
export * from "./event-bus.ts";
export * from "./event-stream.ts";
export * from "./inbox.ts";
export * from "./json.ts";
export * from "./logger.ts";
export * from "./rate-limiter.ts";
export * from "./schedule-store.ts";
export * from "./task-state-store.ts";
