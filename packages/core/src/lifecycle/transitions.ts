/**
 * The life of a task's record as pure steps: what a store runs, or re-states in its server's own language. Each takes the record as it is and
 * the store's time, and returns the record as it becomes (the same object when nothing changes) with the answer to give.
 */
export { claim, renew, reserve } from "./claiming.ts";
export { create, newRecord } from "./creating.ts";
export { childEnded, reopen, reopenChild, requestCancel } from "./family.ts";
export { jsonEqual } from "./json-equal.ts";
export { mayNeedRecovery, recover, recoveryReason, recoveryTime } from "./recovering.ts";
export { beginSend, markSent, withdraw } from "./sending.ts";
export { dutiesDone, retain, settle } from "./settling.ts";
export type { Step } from "./step.ts";
