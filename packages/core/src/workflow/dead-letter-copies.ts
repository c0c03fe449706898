import type { Runtime } from "../app/runtime.ts";
import { messageOf } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import { decodeCommand } from "../wire/envelope.ts";

/** The task that a message's bytes belong to, if they are a tracked command's. */
export function trackedTaskOf(body: Uint8Array): string | undefined {
  try {
    const envelope = decodeCommand(body);
    return envelope.task === undefined ? undefined : envelope.id;
  } catch {
    return undefined;
  }
}

/**
 * Drops the bus's copies of a task that has been replayed. The store is the truth about tasks, so a copy that stays behind because the broker is away only takes room.
 */
export async function dropTrackedDeadLetters(runtime: Runtime, record: TaskRecord): Promise<void> {
  const { deadLetters } = runtime.ports.commandBus;
  try {
    let cursor: string | undefined;
    do {
      const page = await deadLetters.list(record.queue, { cursor });
      const copies = page.items
        .filter((letter) => trackedTaskOf(letter.body) === record.id)
        .map((letter) => letter.deadLetterId);
      if (copies.length > 0) await deadLetters.discard(record.queue, copies);
      cursor = page.next;
    } while (cursor !== undefined);
  } catch (error) {
    runtime.surroundings.logger.warn("the dead letter of a replayed task could not be dropped", {
      task: record.id,
      error: messageOf(error),
    });
  }
}
