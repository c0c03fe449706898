import type { TaskDraft, TaskRecord } from "../lifecycle/record.ts";
import type { Claim, HeldLease } from "../ports/task-state-store.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { MemoryConnection } from "./connection.ts";
import { MemoryEventStream } from "./event-stream.ts";
import { MemoryInbox } from "./inbox.ts";
import { DEFAULT_MEMORY_LIMITS, type MemoryLimits } from "./limits.ts";
import { MemoryRateLimiter } from "./rate-limiter.ts";
import { Store } from "./store.ts";
import { MemoryTaskStateStore } from "./task-state-store.ts";

/** One store on a clock of its own, and clients of it: for tests. */
export function openStore(limits: Partial<MemoryLimits> = {}) {
  const clock = new VirtualClock();
  const store = new Store(clock, { ...DEFAULT_MEMORY_LIMITS, ...limits });
  const connect = (namespace = "test") => {
    const connection = new MemoryConnection();
    return {
      connection,
      tasks: new MemoryTaskStateStore(store, connection, namespace),
      streams: new MemoryEventStream(store, connection, namespace),
      rates: new MemoryRateLimiter(store, connection, namespace),
      inbox: new MemoryInbox(store, connection, namespace),
    };
  };
  return { clock, store, connect, ...connect() };
}

export function draftOf(id: string, changes: Partial<TaskDraft> = {}): TaskDraft {
  return {
    id,
    type: "test.task",
    taskVersion: "1.0",
    queue: "default",
    input: { id },
    rootId: id,
    series: 1,
    streamId: id,
    createdAt: Date.UTC(2026, 0, 1),
    retentionMs: 60_000,
    ...changes,
  };
}

export function claimOf(id: string, changes: Partial<Claim> = {}): Claim {
  return { id, series: 1, node: "n1", leaseMs: 1_000, maxAttempts: 3, owes: ["announce"], ...changes };
}

/** Creates, claims and settles: a task that has ended and owes nothing. */
export async function runTask(tasks: MemoryTaskStateStore, draft: TaskDraft): Promise<void> {
  await tasks.create([draft]);
  const { lease } = await claimTask(tasks, claimOf(draft.id, { owes: [] }));
  await tasks.settle([{ id: draft.id, token: lease.token, outcome: { kind: "completed" }, resend: false }]);
}

export async function claimTask(
  tasks: MemoryTaskStateStore,
  claim: Claim,
): Promise<{ record: TaskRecord; lease: HeldLease }> {
  const [outcome] = await tasks.claim([claim]);
  if (!outcome?.claimed) throw new Error(`not claimed: ${outcome?.reason}`);
  return outcome;
}
