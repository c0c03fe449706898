/**
 * The contract of Intermodal's ports as cases that any adapter can be checked with, under any test runner.
 * @packageDocumentation
 */
export { AssertionError } from "./assert.ts";
export type { CaseContext, ConformanceCase, Subject } from "./case.ts";
export { cases, casesFor, subjectsOf } from "./cases.ts";
export { commandBusCases } from "./command-bus/index.ts";
export { eventBusCases } from "./event-bus/index.ts";
export { eventStreamCases } from "./event-stream/index.ts";
export type { FaultName, Faults, Harness, VirtualTime } from "./harness.ts";
export { inboxCases } from "./inbox/index.ts";
export { lifecycleCases } from "./lifecycle/index.ts";
export { rateLimiterCases } from "./rate-limiter/index.ts";
export { type BindOptions, type CaseResult, DEFAULT_LIMIT_MS, type RunOptions, runCase, SkipError } from "./run.ts";
export { scheduleStoreCases } from "./schedule-store/index.ts";
export { taskStateStoreCases } from "./task-state-store/index.ts";
