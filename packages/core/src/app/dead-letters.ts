import { IntermodalError } from "../errors.ts";
import type { DeadLetter, DeadLetters, Page, PageOptions } from "../ports/delivery.ts";
import { trackedTaskOf } from "../workflow/dead-letter-copies.ts";
import type { Runtime } from "./runtime.ts";

/** A dead letter of a queue, and the task it belongs to, if it is a task's. */
export interface QueueDeadLetter extends DeadLetter {
  readonly taskId: string | undefined;
}

/** Dead letters of queues. For tasks the record is the truth: `app.tasks.replay` runs one again and drops its copy here. */
export class QueueDeadLetters {
  readonly #ready: () => Promise<Runtime>;

  /** @internal */
  constructor(ready: () => Promise<Runtime>) {
    this.#ready = ready;
  }

  /** In the order they were put aside. @throws `CURSOR_INVALID`, `UNAVAILABLE`, `CLOSED`. */
  async list(queue = "default", options?: PageOptions): Promise<Page<QueueDeadLetter>> {
    const page = await (await this.#bus()).list(queue, options);
    const items = page.items.map((letter) => ({ ...letter, taskId: trackedTaskOf(letter.body) }));
    return page.next === undefined ? { items } : { items, next: page.next };
  }

  /**
   * Sends plain commands again.
   * @returns how many of the ids were there.
   * @throws `NOT_REPLAYABLE`, before anything is sent, when one of them is a task's: use `app.tasks.replay`.
   */
  async replay(queue: string, deadLetterIds: readonly string[]): Promise<number> {
    const wanted = new Set(deadLetterIds);
    for await (const letter of this.#all(queue)) {
      if (wanted.has(letter.deadLetterId) && letter.taskId !== undefined) {
        throw new IntermodalError(
          "NOT_REPLAYABLE",
          `dead letter ${letter.deadLetterId} belongs to task ${letter.taskId}; replay it with app.tasks.replay`,
        );
      }
    }
    return (await this.#bus()).replay(queue, deadLetterIds);
  }

  /** Deletes dead letters; the record of a task stays. @returns how many of the ids were there. @throws `UNAVAILABLE`, `CLOSED`. */
  async discard(queue: string, deadLetterIds: readonly string[]): Promise<number> {
    return (await this.#bus()).discard(queue, deadLetterIds);
  }

  async *#all(queue: string): AsyncGenerator<QueueDeadLetter> {
    let cursor: string | undefined;
    do {
      const page: Page<QueueDeadLetter> = await this.list(queue, { cursor });
      yield* page.items;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  async #bus(): Promise<DeadLetters> {
    return (await this.#ready()).ports.commandBus.deadLetters;
  }
}
