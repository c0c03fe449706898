/**
 * One container, any carrier: commands, events, tracked tasks and run streams over whichever broker and store an application's operators run.
 * @packageDocumentation
 */
export { App, type AppHealth, type BridgeOptions } from "./app/app.ts";
export type { CarrierUrls } from "./app/config.ts";
export { createApp } from "./app/create-app.ts";
export { type QueueDeadLetter, QueueDeadLetters } from "./app/dead-letters.ts";
export { DEFAULTS } from "./app/defaults.ts";
export { discover } from "./app/discover.ts";
export { ListenerDeadLetters } from "./app/listener-dead-letters.ts";
export {
  type AttemptNotification,
  LifecycleEmitter,
  type LifecycleName,
  type LifecycleNotifications,
  type TaskNotification,
} from "./app/notifications.ts";
export type { AppOptions } from "./app/options.ts";
export type { PublishOptions, SendOptions } from "./app/publish.ts";
export { type Discoverable, defineHandler, defineListener, defineSchedule, type Handler } from "./app/registry.ts";
export type { Ports } from "./app/runtime.ts";
export { type ResultOptions, type StreamOptions, TaskHandle } from "./app/task-handle.ts";
export type { TaskSnapshot } from "./app/task-snapshot.ts";
export { Tasks } from "./app/tasks.ts";
export * from "./contracts/index.ts";
export {
  BatchError,
  type ErrorCode,
  IntermodalError,
  type IntermodalErrorOptions,
  isIntermodalError,
  NonRetryableError,
  RetryAfterError,
} from "./errors.ts";
export type { ChildrenSummary, TaskErrorInfo, TaskPhase, TaskStatus, TerminalStatus } from "./lifecycle/record.ts";
export { type MemoryLimits, type MemoryOptions, memory } from "./memory/index.ts";
export type { AdapterFactory, AdapterHealth, ConsumptionHealth } from "./ports/adapter.ts";
export type { DeadLetter, Page, PageOptions } from "./ports/delivery.ts";
export type { JsonValue } from "./ports/json.ts";
export { type Logger, silentLogger } from "./ports/logger.ts";
export type { ScheduleDefinition, ScheduleTiming } from "./ports/schedule-store.ts";
export type { TaskQuery } from "./ports/task-state-store.ts";
export type { RunEntry } from "./run-stream/follow-run.ts";
export { createRunStreamHandler, type RunStreamHandlerOptions, type RunStreamSource } from "./run-stream/http.ts";
export type { NamedRunEvent, SdkRunEvents } from "./run-stream/named-event.ts";
export { type NodeHandlerOptions, toNodeHandler } from "./run-stream/node-http.ts";
export type { RunEvent, RunGap } from "./run-stream/run-event.ts";
export type { ScheduleOptions, ScheduleWhen } from "./schedules/definition.ts";
export { ScheduleHandle, Schedules } from "./schedules/schedules.ts";
export type { ScheduleSnapshot } from "./schedules/snapshot.ts";
export { cloudEventsCodec, type EventCodec, plainCodec } from "./wire/codecs.ts";
export type { TaskContext } from "./worker/context.ts";
export { TaskFailedError } from "./worker/errors.ts";
export type { BusEvent, EventHandler, ListenerCounts, ListenerOptions, SkippedEvent } from "./worker/event-listener.ts";
export type { CommandContext, ListenerContext, MessageContext } from "./worker/message-context.ts";
export { type LogContext, logContext } from "./worker/scope.ts";
export type { Unfinished } from "./worker/worker.ts";
export type { SubTaskOptions } from "./workflow/sub-tasks.ts";
export type { SubmitOptions } from "./workflow/submit.ts";
