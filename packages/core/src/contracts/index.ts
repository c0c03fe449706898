/**
 * What the two ends of a message share. Imports nothing of Node and bundles for a browser.
 * @packageDocumentation
 */

export type { JsonObject } from "../wire/json.ts";
export {
  type AnyCommandContract,
  type CommandContract,
  type CommandInput,
  type CommandOptions,
  type CommandParams,
  defineCommand,
} from "./command.ts";
export {
  type AnyEventContract,
  defineEvent,
  type EventContract,
  type EventData,
  type EventOptions,
  type EventPayload,
} from "./event.ts";
export type { JsonData, JsonInput, JsonOf, JsonOutput, NotJson, SurvivesJson } from "./json.ts";
export {
  type Backoff,
  DEFAULT_RETRY,
  type ExponentialOptions,
  exponential,
  fixed,
  type RetryOptions,
  type RetryPolicy,
  retryPolicy,
} from "./retry.ts";
export { parseWith, type Schema, type SchemaInput, type SchemaOutput } from "./schema.ts";
export {
  type AnyTaskContract,
  DEFAULT_RETENTION_MS,
  defineTask,
  type TaskContract,
  type TaskInput,
  type TaskOptions,
  type TaskParams,
  type TaskRateLimit,
  type TaskResult,
  type TaskReturn,
} from "./task.ts";
export { checkRange, inRange, parseVersion, sameMajor, type Version, type VersionRange } from "./version.ts";
