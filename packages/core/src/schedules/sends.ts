import type { Runtime } from "../app/runtime.ts";
import { messageOf } from "../errors.ts";
import type { TaskRecord } from "../lifecycle/record.ts";
import { isIncurable, sendRecord } from "../workflow/send-record.ts";
import { announceSubmitted, withdraw } from "../workflow/submit.ts";

/**
 * Messages of tasks that schedules have made, on their way to the bus. The store has the tasks, so nothing but the end of the process waits for them: what cannot be sent now, the
 * sweep sends.
 */
export class Sends {
  readonly #runtime: Runtime;
  readonly #underWay = new Set<Promise<void>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  begin(record: TaskRecord): void {
    const sending = this.#send(record).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  /** Resolves when what was begun so far has arrived or failed. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Never rejects. */
  async #send(record: TaskRecord): Promise<void> {
    const { logger } = this.#runtime.surroundings;
    try {
      await sendRecord(this.#runtime, record);
    } catch (error) {
      const fields = { task: record.id, error: messageOf(error) };
      if (isIncurable(error) && (await this.#withdraw(record))) {
        logger.error("a schedule's task can never be sent; its due time is passed over", fields);
        return;
      }
      logger.warn("a schedule's task could not be sent now; the sweep will send it", fields);
    }
    announceSubmitted(this.#runtime, record);
  }

  /** @returns whether it was taken back: not where somebody has it in hand, or the store is away. */
  async #withdraw(record: TaskRecord): Promise<boolean> {
    try {
      return await withdraw(this.#runtime, record);
    } catch (error) {
      this.#runtime.surroundings.logger.debug("a schedule's task could not be taken back", {
        task: record.id,
        error: messageOf(error),
      });
      return false;
    }
  }
}
