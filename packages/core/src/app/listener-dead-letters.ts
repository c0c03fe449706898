import type { DeadLetter, DeadLetters, Page, PageOptions } from "../ports/delivery.ts";
import { listenerKey } from "../ports/event-bus.ts";
import type { Runtime } from "./runtime.ts";

/** Dead letters of this app's listeners, each listener's its own. Listeners are named as in `app.on`; an unknown one has none. */
export class ListenerDeadLetters {
  readonly #service: string;
  readonly #ready: () => Promise<Runtime>;

  /** @internal */
  constructor(service: string, ready: () => Promise<Runtime>) {
    this.#service = service;
    this.#ready = ready;
  }

  /** In the order they were put aside. @throws `CURSOR_INVALID`, `UNAVAILABLE`. */
  async list(listener: string, options?: PageOptions): Promise<Page<DeadLetter>> {
    return (await this.#bus()).list(this.#place(listener), options);
  }

  /**
   * Delivers events again, to this listener alone, with a fresh attempt count.
   * @returns how many of the ids were there.
   * @throws `UNAVAILABLE`.
   */
  async replay(listener: string, deadLetterIds: readonly string[]): Promise<number> {
    return (await this.#bus()).replay(this.#place(listener), deadLetterIds);
  }

  /** Deletes dead letters. @returns how many of the ids were there. @throws `UNAVAILABLE`. */
  async discard(listener: string, deadLetterIds: readonly string[]): Promise<number> {
    return (await this.#bus()).discard(this.#place(listener), deadLetterIds);
  }

  #place(listener: string): string {
    return listenerKey({ service: this.#service, listener });
  }

  async #bus(): Promise<DeadLetters> {
    return (await this.#ready()).ports.eventBus.deadLetters;
  }
}
