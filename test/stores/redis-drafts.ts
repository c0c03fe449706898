import type { TaskDraft } from "@intermodal/core/ports";

/** A root task that was submitted now. */
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
    createdAt: Date.now(),
    retentionMs: 600_000,
    ...changes,
  };
}
