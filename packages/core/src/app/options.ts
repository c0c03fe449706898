import type { AdapterFactory } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { EventCodec } from "../wire/codecs.ts";
import type { SkippedEvent } from "../worker/event-listener.ts";
import type { CarrierUrls } from "./config.ts";
import type { Ports } from "./runtime.ts";

/** How an app is made. Durations are milliseconds. */
export interface AppOptions extends CarrierUrls {
  /** Names the application to listeners, logs and records. It does not decide where a command goes: the contract's queue does. */
  readonly name: string;
  /**
   * Keeps environments that share a server apart.
   * @default INTERMODAL_NAMESPACE, else "intermodal"
   */
  readonly namespace?: string | undefined;
  /** Adapters to register by their schemes, beside this project's own. */
  readonly adapters?: readonly AdapterFactory[] | undefined;
  /** Ports to use as they are, in place of URLs; who made them closes them. */
  readonly ports?: Ports | undefined;
  /**
   * Messages handled at once: in every queue, or by queue.
   * @default 10
   */
  readonly concurrency?: number | Readonly<Record<string, number>> | undefined;
  /** @default warnings and errors to the console */
  readonly logger?: Logger | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
  /**
   * How events look on the wire.
   * @default CloudEvents JSON
   */
  readonly codec?: EventCodec | undefined;
  /** How long a worker keeps a task that it stopped renewing. @default 10,000 */
  readonly taskLeaseMs?: number | undefined;
  /** What the recovery sweep does when; the grace is how long something must have been left behind. @default intervalMs 5,000, graceMs 30,000 */
  readonly sweep?: { readonly intervalMs?: number | undefined; readonly graceMs?: number | undefined } | undefined;
  /** How often a worker looks for due schedules, if none is due earlier, and how late one that skips what it missed may be fired. @default pollMs 5,000, graceMs 60,000 */
  readonly schedules?: { readonly pollMs?: number | undefined; readonly graceMs?: number | undefined } | undefined;
  /** How long a message whose type or version nobody knows comes back, and how often. @default maxAgeMs 3,600,000, delayMs 5,000 */
  readonly unknownType?: { readonly maxAgeMs?: number | undefined; readonly delayMs?: number | undefined } | undefined;
  /** How long a run's stream is kept after the run has ended, if its record is kept as long. @default 86,400,000 (24 h) */
  readonly streamTtlMs?: number | undefined;
  /** How long a listener remembers the events it has completed. @default 86,400,000 (24 h) */
  readonly inboxWindowMs?: number | undefined;
  /** Told of every event that a listener acknowledged without handling it. */
  readonly onSkippedEvent?: ((event: SkippedEvent) => void) | undefined;
  /**
   * Only this process submits and works, so task state that this process alone can see (`memory:`) may stand beside a networked command bus. It
   * ends with the process: a task whose message comes back afterwards begins anew.
   * @default false
   */
  readonly singleProcess?: boolean | undefined;
  /** Signals on which the app stops by itself, such as `["SIGTERM"]`. @default none */
  readonly signals?: readonly string[] | undefined;
}
