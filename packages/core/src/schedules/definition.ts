import type { AnyTaskContract, TaskInput } from "../contracts/index.ts";
import { parseWith } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import type { ScheduleDefinition, ScheduleTiming } from "../ports/schedule-store.ts";
import { toJson } from "../wire/json.ts";
import { checkId } from "../wire/names.ts";
import { checkTiming } from "./timing.ts";

/** When a task is due: one of three. */
export type ScheduleWhen =
  | {
      /** Five fields, or six with seconds first, or a nickname such as `@daily`. Never more often than each second. */
      readonly cron: string;
      /**
       * IANA name. A wall-clock time (no wildcard, no step) that a change of the clocks leaves out is due when they have jumped; one that comes twice is due the first time.
       * @default "UTC"
       */
      readonly timezone?: string | undefined;
      readonly everyMs?: undefined;
      readonly at?: undefined;
    }
  | {
      /** Milliseconds from the start of the schedule to its first due time, and from each due time to the next; at least 1,000. */
      readonly everyMs: number;
      readonly cron?: undefined;
      readonly timezone?: undefined;
      readonly at?: undefined;
    }
  | {
      /** Once: a Date, or milliseconds since the epoch. A time that is past already counts as missed. */
      readonly at: Date | number;
      readonly cron?: undefined;
      readonly timezone?: undefined;
      readonly everyMs?: undefined;
    };

/** What is to be submitted when. Records of its tasks are kept for an hour at least after they have ended, whatever `retentionMs` of the contract says. */
export type ScheduleOptions<Contract extends AnyTaskContract> = ScheduleWhen & {
  /** Names the schedule in its namespace: any text of 1 to 256 characters. */
  readonly name: string;
  /** What each task of it gets. */
  readonly input: TaskInput<Contract>;
  /** Whose tasks they are, to list by. */
  readonly userId?: string | undefined;
  /**
   * A disabled one is registered and listed, but never due.
   * @default true
   */
  readonly enabled?: boolean | undefined;
  /**
   * What becomes of due times that passed while no worker was there, the store was away or the schedule was paused: `latest` fires once, for the latest of them;
   * `skip` fires none that is more than a minute late (`schedules.graceMs` of the app).
   * @default "latest"
   */
  readonly missed?: "latest" | "skip" | undefined;
  /**
   * What becomes of a due time while the task of the one before has not ended: `allow` fires it too, `skip` passes it over.
   * @default "allow"
   */
  readonly overlap?: "allow" | "skip" | undefined;
};

/** A schedule as code has declared it. */
export interface DeclaredSchedule {
  readonly name: string;
  readonly definition: ScheduleDefinition;
  /** Resolves when the input is known to be valid; at once where the validator is synchronous. */
  readonly checked: Promise<unknown> | undefined;
}

/** @throws `INVALID_NAME`, `CONFIG_INVALID`, `NOT_SERIALIZABLE`, and `VALIDATION_FAILED` where the validator is synchronous. */
export function declareSchedule<Contract extends AnyTaskContract>(
  contract: Contract,
  options: ScheduleOptions<Contract>,
): DeclaredSchedule {
  const name = checkId("the schedule name", options.name);
  const what = `schedule "${name}"`;
  const { enabled = true, missed = "latest", overlap = "allow", userId } = options;
  checkChoice(`enabled of ${what}`, enabled, [true, false]);
  checkChoice(`missed of ${what}`, missed, ["latest", "skip"]);
  checkChoice(`overlap of ${what}`, overlap, ["allow", "skip"]);
  const timing = timingOf(what, options);
  checkTiming(what, timing);
  const input = `input of ${what}`;
  const checked = parseWith(contract.input, options.input, input);
  // Whoever registers it hears of it; until then it must not end the process.
  if (checked instanceof Promise) checked.catch(() => undefined);
  return {
    name,
    checked: checked instanceof Promise ? checked : undefined,
    definition: {
      type: contract.name,
      taskVersion: contract.version,
      queue: contract.queue,
      retentionMs: contract.retentionMs,
      input: toJson(options.input, input),
      ...(userId !== undefined && { userId: checkId("a user id", userId) }),
      timing,
      enabled,
      missed,
      overlap,
    },
  };
}

function timingOf(what: string, { cron, timezone, everyMs, at }: ScheduleWhen): ScheduleTiming {
  const given = [cron, everyMs, at].filter((value) => value !== undefined);
  if (given.length !== 1 || (timezone !== undefined && cron === undefined)) {
    throw new IntermodalError(
      "CONFIG_INVALID",
      `${what} needs one of cron (with or without timezone), everyMs and at, and no other of them`,
    );
  }
  if (cron !== undefined) return { cron, timezone: timezone ?? "UTC" };
  if (everyMs !== undefined) return { everyMs };
  return { at: at instanceof Date ? at.getTime() : (at as number) };
}

/** Only untyped code can pass another value. */
function checkChoice<Choice>(what: string, value: Choice, choices: readonly Choice[]): void {
  if (choices.includes(value)) return;
  throw new IntermodalError("CONFIG_INVALID", `${what} must be ${choices.join(" or ")}, not ${String(value)}`);
}
