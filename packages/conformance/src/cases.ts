import type { Adapter } from "@intermodal/core/ports";
import type { ConformanceCase, Subject } from "./case.ts";
import { commandBusCases } from "./command-bus/index.ts";
import { eventBusCases } from "./event-bus/index.ts";
import { eventStreamCases } from "./event-stream/index.ts";
import { inboxCases } from "./inbox/index.ts";
import { lifecycleCases } from "./lifecycle/index.ts";
import { rateLimiterCases } from "./rate-limiter/index.ts";
import { scheduleStoreCases } from "./schedule-store/index.ts";
import { taskStateStoreCases } from "./task-state-store/index.ts";

/** Every case of the kit. */
export const cases: readonly ConformanceCase[] = [
  ...commandBusCases,
  ...eventBusCases,
  ...taskStateStoreCases,
  ...eventStreamCases,
  ...scheduleStoreCases,
  ...rateLimiterCases,
  ...inboxCases,
  ...lifecycleCases,
];

/** The ports that the life of tasks rests on. */
const PORTS = ["commandBus", "eventBus", "taskStateStore", "eventStream"] as const;

/** Those that an app can do without. */
const SMALL_PORTS = ["scheduleStore", "rateLimiter", "inbox"] as const;

/** What there is to check on an adapter: the ports it has, and the life of tasks where it has what that rests on. */
export function subjectsOf(adapter: Adapter): readonly Subject[] {
  const subjects: Subject[] = [...PORTS, ...SMALL_PORTS].filter((port) => adapter[port] !== undefined);
  if (PORTS.every((port) => adapter[port] !== undefined)) subjects.push("lifecycle");
  return subjects;
}

/** The cases for these subjects, or for the ports that an adapter has. */
export function casesFor(of: Adapter | readonly Subject[]): readonly ConformanceCase[] {
  const subjects = "name" in of ? subjectsOf(of) : of;
  return cases.filter(({ subject }) => subjects.includes(subject));
}
