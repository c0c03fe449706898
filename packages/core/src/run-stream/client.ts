/**
 * Follows a run's stream from a browser or any other program that has `fetch`. Imports nothing of Node.
 * @packageDocumentation
 */
import type { JsonValue } from "../ports/json.ts";
import type { NamedRunEvent } from "./named-event.ts";
import type { RunEvent, RunGap } from "./run-event.ts";
import { type FollowRunOptions, follow } from "./run-follower.ts";

export { type ErrorCode, IntermodalError, type IntermodalErrorOptions, isIntermodalError } from "../errors.ts";
export type { JsonValue } from "../ports/json.ts";
export { RunStreamError } from "./client-error.ts";
export type { NamedRunEvent, SdkRunEvents } from "./named-event.ts";
export type { RunEvent, RunGap } from "./run-event.ts";
export type { FollowRunOptions, HeaderRecord, Interruption, ReconnectOptions } from "./run-follower.ts";

/**
 * Follows a run over HTTP, as `createRunStreamHandler` serves it: every event exactly once, in order, from history to live. Comes back by itself after whatever
 * broke the connection, with the last event's id, and waits while the server is away. Ends after `lifecycle.completed` or `lifecycle.failed`, or when the
 * signal aborts. `Events` says what the run's handlers emit, data by name (`followRun<{ token: { text: string } }>(…)`), as the caller knows it; it is not checked.
 *
 * Each iteration of what is returned follows anew.
 * @throws {RunStreamError} while iterating, when the server refuses (4xx). @throws `DECODE_FAILED` for a server that speaks something else.
 */
export function followRun<Events extends object = Record<string, JsonValue>>(
  url: string | URL,
  options: FollowRunOptions & { readonly onGap: (gap: RunGap["gap"]) => void },
): AsyncIterable<NamedRunEvent<Events>>;
export function followRun<Events extends object = Record<string, JsonValue>>(
  url: string | URL,
  options?: FollowRunOptions,
): AsyncIterable<NamedRunEvent<Events> | RunGap>;
export function followRun(url: string | URL, options: FollowRunOptions = {}): AsyncIterable<RunEvent | RunGap> {
  return { [Symbol.asyncIterator]: () => follow(String(url), options) };
}
