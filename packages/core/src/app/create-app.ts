import { IntermodalError } from "../errors.ts";
import { systemClock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { cloudEventsCodec } from "../wire/codecs.ts";
import { newId } from "../wire/ids.ts";
import { checkName } from "../wire/names.ts";
import { App } from "./app.ts";
import { openCarriers } from "./carriers.ts";
import { AdapterCatalogue, resolveUrls } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { LifecycleEmitter } from "./notifications.ts";
import type { AppOptions } from "./options.ts";
import type { Settings, Surroundings } from "./runtime.ts";

/**
 * Makes an app. Synchronous, does no I/O: the first send connects, `start()` consumes.
 * @throws `INVALID_NAME`, `CONFIG_INVALID`, `UNKNOWN_SCHEME`, `ADAPTER_INCOMPATIBLE`.
 */
export function createApp(options: AppOptions): App {
  const environment = typeof process === "undefined" ? {} : process.env;
  const name = checkName("the app name", options.name);
  const namespace = checkName("the namespace", options.namespace ?? (environment.INTERMODAL_NAMESPACE || "intermodal"));
  const { clock = systemClock, logger = consoleLogger } = options;
  const node = `${name}-${newId()}`;
  const surroundings: Surroundings = {
    name,
    namespace,
    node,
    clock,
    logger,
    lifecycle: new LifecycleEmitter(logger),
    codec: options.codec ?? cloudEventsCodec,
    settings: settingsOf(options),
    bridge: undefined,
  };
  const { ports } = options;
  const signals = options.signals ?? [];
  const stop = () => void app.stop();
  const app = new App({
    surroundings,
    open:
      ports === undefined
        ? opener(options, environment, { namespace, node, clock, logger })
        : async () => ({ ports, adapters: [] }),
    concurrency: concurrencyOf(options),
    onSkipped: options.onSkippedEvent,
    onStop: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  });
  for (const signal of signals) process.once(signal, stop);
  return app;
}

function opener(
  options: AppOptions,
  environment: Readonly<Record<string, string | undefined>>,
  context: Parameters<typeof openCarriers>[2],
) {
  const urls = resolveUrls(options, environment);
  const catalogue = new AdapterCatalogue(options.adapters ?? []);
  for (const configured of Object.values(urls))
    if (configured !== undefined) catalogue.check(configured.url, configured.from);
  const { singleProcess = false } = options;
  return () => openCarriers(catalogue, urls, context, { singleProcess });
}

function settingsOf(options: AppOptions): Settings {
  const settings = {
    taskLeaseMs: options.taskLeaseMs ?? DEFAULTS.taskLeaseMs,
    sweepIntervalMs: options.sweep?.intervalMs ?? DEFAULTS.sweepIntervalMs,
    sweepGraceMs: options.sweep?.graceMs ?? DEFAULTS.sweepGraceMs,
    schedulePollMs: options.schedules?.pollMs ?? DEFAULTS.schedulePollMs,
    scheduleGraceMs: options.schedules?.graceMs ?? DEFAULTS.scheduleGraceMs,
    unknownTypeMaxAgeMs: options.unknownType?.maxAgeMs ?? DEFAULTS.unknownTypeMaxAgeMs,
    unknownTypeDelayMs: options.unknownType?.delayMs ?? DEFAULTS.unknownTypeDelayMs,
    streamTtlMs: options.streamTtlMs ?? DEFAULTS.streamTtlMs,
    inboxWindowMs: options.inboxWindowMs ?? DEFAULTS.inboxWindowMs,
    pollIntervalMs: DEFAULTS.pollIntervalMs,
    streamFlushTimeoutMs: DEFAULTS.streamFlushTimeoutMs,
  };
  for (const [setting, ms] of Object.entries(settings)) {
    if (!Number.isFinite(ms) || ms <= 0)
      throw new IntermodalError(
        "CONFIG_INVALID",
        `${setting} must be a positive number of milliseconds, not ${String(ms)}`,
      );
  }
  return settings;
}

function concurrencyOf({ concurrency }: AppOptions): (queue: string) => number {
  const check = (value: number, what: string) => {
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new IntermodalError("CONFIG_INVALID", `${what} must be a positive whole number, not ${String(value)}`);
  };
  if (concurrency === undefined) return () => DEFAULTS.concurrency;
  if (typeof concurrency === "number") {
    check(concurrency, "concurrency");
    return () => concurrency;
  }
  for (const [queue, value] of Object.entries(concurrency)) check(value, `concurrency of queue "${queue}"`);
  return (queue) => (Object.hasOwn(concurrency, queue) ? (concurrency[queue] as number) : DEFAULTS.concurrency);
}

/** Warnings and errors only: what an operator must see where nobody has set up a logger. */
const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => console.warn(`intermodal: ${message}`, fields ?? ""),
  error: (message, fields) => console.error(`intermodal: ${message}`, fields ?? ""),
};
