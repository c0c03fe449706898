import { isTerminal, type TaskRecord } from "../lifecycle/record.ts";
import { isLonger } from "./payload.ts";

/** Records remembered at the most, and how long one's payloads may be as JSON. */
const MAX_RECORDS = 2_000;
const MAX_PAYLOAD_BYTES = 8_192;

/**
 * Records as this process wrote them last, the latest of them. The next step of a task mostly comes from the process that took the last one; beginning with what that left spares a
 * reading. Whether it is still so shows when the step is written.
 */
export class KnownRecords {
  readonly #records = new Map<string, TaskRecord>();

  get(id: string): TaskRecord | undefined {
    return this.#records.get(id);
  }

  remember(record: TaskRecord): void {
    this.#records.delete(record.id);
    // Of what has ended and owes nothing, nothing more is to come.
    if (isTerminal(record.status) && record.duties.length === 0) return;
    const { input, progress = null, result = null, children } = record;
    if (isLonger([input, progress, result, Object.keys(children)], MAX_PAYLOAD_BYTES)) return;
    this.#records.set(record.id, record);
    if (this.#records.size <= MAX_RECORDS) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      return;
    }
  }

  forget(id: string): void {
    this.#records.delete(id);
  }
}
