import type { LifecycleName, LifecycleNotifications } from "../app/notifications.ts";
import type { Runtime } from "../app/runtime.ts";
import { messageOf } from "../errors.ts";
import type { TaskErrorInfo } from "../lifecycle/record.ts";
import { toJsonObject } from "../wire/json.ts";

/** Whether notifications of this name are published for tasks of this type. */
export function bridges(runtime: Runtime, type: string, name: LifecycleName): boolean {
  const { bridge } = runtime.surroundings;
  return bridge?.notifications.has(name) === true && (bridge.types === undefined || bridge.types.has(type));
}

/**
 * Publishes the external copy of a notification. Its id derives from the task, its series and what happened, so that a copy published twice is
 * known as one.
 */
export async function publishNotification<Name extends LifecycleName>(
  runtime: Runtime,
  name: Name,
  notification: LifecycleNotifications[Name],
): Promise<void> {
  const { codec, name: app } = runtime.surroundings;
  const { taskId, series, timestamp, streamId: _, ...rest } = notification;
  const distinction =
    "attempt" in notification ? `.${notification.attempt}` : name === "progress" ? `.${timestamp}` : "";
  const id = `${taskId}.${series}.${name}${distinction}`;
  const type = `task.${name}`;
  const error = "error" in notification ? withoutStack(notification.error) : undefined;
  const data = toJsonObject({ taskId, series, ...rest, error }, `notification "${name}"`);
  await runtime.publish({
    id,
    type,
    body: codec.encode({ id, type, version: "1.0", source: app, time: timestamp, data }),
  });
}

/** Where the error was thrown concerns this application, not those who listen elsewhere. */
function withoutStack(error: TaskErrorInfo | undefined): TaskErrorInfo | undefined {
  return error && { ...error, stack: undefined };
}

/** Publishes the chosen notifications that are not owed as duties: an outage loses them. @returns stops it. */
export function bridgeNotifications(runtime: Runtime): () => void {
  const { lifecycle, logger } = runtime.surroundings;
  const stops = (["submitted", "started", "progress", "retrying"] as const).map((name) =>
    lifecycle.on(name, (notification) => {
      if (!bridges(runtime, notification.type, name)) return;
      publishNotification(runtime, name, notification).catch((error: unknown) =>
        logger.warn(`the external copy of a "${name}" notification was lost`, {
          task: notification.taskId,
          error: messageOf(error),
        }),
      );
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
