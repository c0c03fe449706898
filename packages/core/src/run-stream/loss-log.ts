import type { Logger } from "../ports/logger.ts";

/** What can be wrong with the writing of run streams. */
export type Trouble = "unavailable" | "overflow" | "refused" | "closed";

const MESSAGES: Record<Trouble, string> = {
  unavailable: "the store of the run streams cannot be reached: tasks go on, and their events are kept and tried again",
  overflow: "run-stream events come faster than their store takes them: some are being dropped",
  refused: "the store of the run streams refused events: they are dropped",
  closed: "run-stream events were still waiting for their store when the app was closed: they are lost",
};

/** Counts lost events, and logs once when something goes wrong and once when all is well again, never per event. */
export class LossLog {
  lost = 0;
  readonly #logger: Logger;
  readonly #onWell: () => void;
  readonly #troubles = new Set<Trouble>();
  #lostBefore = 0;

  constructor(logger: Logger, onWell: () => void = () => {}) {
    this.#logger = logger;
    this.#onWell = onWell;
  }

  trouble(kind: Trouble, fields: Readonly<Record<string, unknown>>): void {
    if (this.#troubles.has(kind)) return;
    if (this.#troubles.size === 0) this.#lostBefore = this.lost;
    this.#troubles.add(kind);
    this.#logger.warn(MESSAGES[kind], fields);
  }

  /** All is well, if it was not already. */
  well(): void {
    if (this.#troubles.size === 0) return;
    this.#troubles.clear();
    this.#logger.info("run-stream events are being stored again", { lost: this.lost - this.#lostBefore });
    this.#onWell();
  }
}
