import { IntermodalError } from "@intermodal/core/ports";
import type { MongoClient, MongoClientOptions } from "mongodb";

/** What the store decides itself, since its promises rest on it: where it reads, and how durable a write is. */
type Decided = "readConcern" | "readConcernLevel" | "readPreference" | "w" | "writeConcern" | "ignoreUndefined";

/** How the store works; every default suits a single server. */
export interface MongoOptions {
  /** Options of the client: TLS, user and password, pool sizes … What the URL says comes first. */
  readonly connection?: Omit<MongoClientOptions, Decided> | undefined;
  /** A client that the host has already: used, never closed. The URL names the database then, and nothing else. */
  readonly client?: MongoClient | undefined;
  /** How long any call waits for a server to be there, and then for its answer, before it rejects with `UNAVAILABLE`. @default 5,000 */
  readonly commandTimeoutMs?: number | undefined;
  /** How many of the newest events of a stream are kept at the least. @default 10,000 */
  readonly maxStreamEvents?: number | undefined;
  /** How long a stream that is never finished is kept after its latest append. @default 7 days */
  readonly streamSafetyTtlMs?: number | undefined;
  /** How often a follower looks for itself, should a wake-up have been lost. @default 15,000 */
  readonly streamPollMs?: number | undefined;
  /** How often this process looks for what others have appended to the streams that it follows: one look for all of them. @default 50 */
  readonly streamWakeMs?: number | undefined;
  /** How often it is looked up which tasks have ended elsewhere, while somebody waits for one. @default 250 */
  readonly changesPollMs?: number | undefined;
}

/** The options with everything filled in that has a value by default. */
export interface Settings extends MongoOptions {
  readonly commandTimeoutMs: number;
  readonly maxStreamEvents: number;
  readonly streamSafetyTtlMs: number;
  readonly streamPollMs: number;
  readonly streamWakeMs: number;
  readonly changesPollMs: number;
}

const NUMBERS = [
  "commandTimeoutMs",
  "maxStreamEvents",
  "streamSafetyTtlMs",
  "streamPollMs",
  "streamWakeMs",
  "changesPollMs",
] as const;
const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

/** @throws `CONFIG_INVALID`. */
export function settingsOf(options: MongoOptions): Settings {
  const settings = {
    ...options,
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
    maxStreamEvents: options.maxStreamEvents ?? 10_000,
    streamSafetyTtlMs: options.streamSafetyTtlMs ?? WEEK_MS,
    streamPollMs: options.streamPollMs ?? 15_000,
    streamWakeMs: options.streamWakeMs ?? 50,
    changesPollMs: options.changesPollMs ?? 250,
  };
  for (const name of NUMBERS)
    if (!(settings[name] > 0 && Number.isFinite(settings[name])))
      throw invalid(`${name} is ${settings[name]}, but must be a number above 0`);
  if (!Number.isInteger(settings.maxStreamEvents))
    throw invalid(`maxStreamEvents is ${settings.maxStreamEvents}, but must be whole`);
  if (options.client !== undefined && options.connection !== undefined) throw invalid("client excludes connection");
  return settings;
}

function invalid(what: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `mongo(): ${what}`);
}
