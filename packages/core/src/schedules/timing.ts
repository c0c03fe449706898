import { Cron } from "croner";
import { IntermodalError, messageOf } from "../errors.ts";
import type { ScheduleTiming } from "../ports/schedule-store.ts";

type CronTiming = Extract<ScheduleTiming, { readonly cron: string }>;

/** Cron knows no shorter interval either. */
const MIN_INTERVAL_MS = 1_000;
/** What a Date can hold. */
const MAX_TIME_MS = 8.64e15;
const SECOND_MS = 1_000;

/** When a schedule falls due for the first time after `now`; `at` is what it is, past or not. `undefined`: never. */
export function firstDue(timing: ScheduleTiming, now: number): number | undefined {
  if ("cron" in timing) return cronAfter(timing, now);
  // In whole milliseconds, as ids tell it, whatever a virtual clock says.
  return "at" in timing ? timing.at : Math.ceil(now) + timing.everyMs;
}

/** The latest due time that is not after `now`, where `due` is one of them. */
export function latestDue(timing: ScheduleTiming, due: number, now: number): number {
  if ("cron" in timing) return Math.max(due, cronUntil(timing, now) ?? due);
  return "at" in timing ? due : due + intervals(timing.everyMs, due, now) * timing.everyMs;
}

/** The first due time after `now`, where `due` is one that is not. `undefined`: none. */
export function dueAfter(timing: ScheduleTiming, due: number, now: number): number | undefined {
  if ("cron" in timing) return cronAfter(timing, Math.max(due, now));
  return "at" in timing ? undefined : due + (intervals(timing.everyMs, due, now) + 1) * timing.everyMs;
}

/** @throws `CONFIG_INVALID`. */
export function checkTiming(what: string, timing: ScheduleTiming): void {
  const wrong =
    "cron" in timing ? wrongCron(timing) : "at" in timing ? wrongTime(timing.at) : wrongInterval(timing.everyMs);
  if (wrong !== undefined) throw new IntermodalError("CONFIG_INVALID", `${what}: ${wrong}`);
}

function wrongTime(at: number): string | undefined {
  if (Number.isInteger(at) && Math.abs(at) <= MAX_TIME_MS) return undefined;
  return `at must be a Date or whole milliseconds since the epoch, not ${String(at)}`;
}

function wrongInterval(everyMs: number): string | undefined {
  if (Number.isSafeInteger(everyMs) && everyMs >= MIN_INTERVAL_MS) return undefined;
  return `everyMs must be a whole number of milliseconds from ${MIN_INTERVAL_MS}, not ${String(everyMs)}`;
}

function wrongCron(timing: CronTiming): string | undefined {
  const said = `cron ${JSON.stringify(timing.cron)} in time zone ${JSON.stringify(timing.timezone)}`;
  try {
    const cron = cronOf(timing);
    // A date in place of an expression would be read too; that is what `at` is for.
    if (cron.getPattern() === undefined) return `${said} is not a cron expression`;
    // From any time: expressions have no year.
    return cron.nextRun(new Date(0)) === null ? `${said} is never due` : undefined;
  } catch (error) {
    return `${said} cannot be read: ${messageOf(error)}`;
  }
}

/**
 * Made anew each time: it takes microseconds, and a schedule is fired rarely. Times without wildcards and steps, lists and ranges among them, are kept by the clock on the wall when the clocks change; others
 * by the time that passes.
 */
function cronOf({ cron, timezone }: CronTiming): Cron {
  return new Cron(cron, { timezone, mode: "5-or-6-parts", fixedTimeRule: "no-wildcard", paused: true });
}

function cronAfter(timing: CronTiming, ms: number): number | undefined {
  return cronOf(timing).nextRun(new Date(ms))?.getTime();
}

/** The latest one not after `ms`. What is asked for is exclusive, in whole seconds: of the second that `ms` stands in, too. */
function cronUntil(timing: CronTiming, ms: number): number | undefined {
  const nextSecond = (Math.floor(ms / SECOND_MS) + 1) * SECOND_MS;
  return cronOf(timing).previousRuns(1, new Date(nextSecond))[0]?.getTime();
}

function intervals(everyMs: number, from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / everyMs));
}
