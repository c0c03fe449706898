import type { App } from "@intermodal/core";
import type { DeadLetter, Page, PageOptions } from "@intermodal/core/ports";
import { idOf, QUEUE } from "./contracts.ts";
import type { TortureOptions } from "./options.ts";

/** Where the messages of a group stand in the broker, as the app's operators see it. */
export class Place {
  readonly #list: (page: PageOptions) => Promise<Page<DeadLetter>>;
  readonly #inspect: () => Promise<{ waiting: number; told: object }>;

  constructor(app: App, { kind, seed }: Pick<TortureOptions, "kind" | "seed">, listener: string) {
    this.#seed = seed;
    if (kind === "commands") {
      this.#list = (page) => app.deadLetters.list(QUEUE, page);
      this.#inspect = async () => {
        const told = await app.inspectQueue(QUEUE);
        return { waiting: told.ready + (told.inFlight ?? 0) + (told.delayed ?? 0), told };
      };
    } else {
      this.#list = (page) => app.listenerDeadLetters.list(listener, page);
      this.#inspect = async () => {
        const told = await app.inspectListener(listener);
        return { waiting: told.pending + (told.inFlight ?? 0) + (told.delayed ?? 0), told };
      };
    }
  }

  readonly #seed: number;

  /** The messages in the dead letters; -1 for one that is not of this run. @throws `UNAVAILABLE`. */
  async dead(): Promise<readonly number[]> {
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<DeadLetter> = await this.#list({ cursor });
      for (const { body } of page.items) found.push(this.#indexOf(body));
      cursor = page.next;
    } while (cursor !== undefined);
    return found;
  }

  /** How many messages wait or are in somebody's hands, as far as the broker tells, and all that it tells. @throws `UNAVAILABLE`. */
  inspect(): Promise<{ readonly waiting: number; readonly told: object }> {
    return this.#inspect();
  }

  #indexOf(body: Uint8Array): number {
    const message = JSON.parse(Buffer.from(body).toString()) as { id?: unknown; data?: { index?: unknown } };
    const { index } = message.data ?? {};
    return typeof index === "number" && message.id === idOf(this.#seed, index) ? index : -1;
  }
}
