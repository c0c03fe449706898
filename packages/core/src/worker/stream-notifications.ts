import type { LifecycleNotifications } from "../app/notifications.ts";
import type { Runtime } from "../app/runtime.ts";
import { messageOf } from "../errors.ts";
import type { JsonValue } from "../ports/json.ts";

type Written = "started" | "progress" | "retrying" | "completed" | "failed";

/**
 * Writes what happens to tasks into their run's stream: as `lifecycle.*` for the root, whose end is not written here but owed as a duty, and as `task.*` for
 * its sub-tasks. @returns stops it.
 */
export function streamNotifications(runtime: Runtime): () => void {
  const { writer } = runtime;
  if (writer === undefined) return () => {};
  const { lifecycle, logger } = runtime.surroundings;
  const write = (name: Written, notification: LifecycleNotifications[Written], data: JsonValue) => {
    const { streamId, taskId, parentId } = notification;
    try {
      writer.emit(streamId, taskId, parentId === undefined ? `lifecycle.${name}` : `task.${name}`, data);
    } catch (error) {
      logger.warn("a run event could not be written", { task: taskId, error: messageOf(error) });
    }
  };
  const stops = [
    lifecycle.on("started", (n) => write("started", n, { type: n.type, attempt: n.attempt })),
    lifecycle.on("progress", (n) => write("progress", n, n.progress)),
    lifecycle.on("retrying", (n) =>
      write("retrying", n, {
        type: n.type,
        attempt: n.attempt,
        max_attempts: n.maxAttempts,
        delay_ms: n.delayMs,
        error: n.error.message,
      }),
    ),
    lifecycle.on(
      "completed",
      (n) => n.parentId !== undefined && write("completed", n, { type: n.type, status: n.status }),
    ),
    lifecycle.on(
      "failed",
      (n) =>
        n.parentId !== undefined &&
        write("failed", n, { type: n.type, status: n.status, error: n.error?.message ?? null }),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
