import type { DeadLetter, DeadLetters, Page, PageOptions } from "@intermodal/core/ports";
import type { ConsumeMessage } from "amqplib";
import type { Client } from "./client.ts";
import { visitDeadLetters } from "./dead-letter-reading.ts";
import { deadLetter, replayed } from "./headers.ts";
import type { Place } from "./names.ts";

const PAGE = 100;

/** The dead letters of every place of one kind. */
export class RabbitDeadLetters implements DeadLetters {
  readonly #client: Client;
  readonly #placeOf: (name: string) => Place;

  constructor(client: Client, placeOf: (name: string) => Place) {
    this.#client = client;
    this.#placeOf = placeOf;
  }

  /** Looks at all of them and keeps a page, since a queue puts back what was read in an order of its own. */
  async list(name: string, { limit = PAGE, cursor = "" }: PageOptions = {}): Promise<Page<DeadLetter>> {
    this.#client.assertOpen("list dead letters");
    const page: DeadLetter[] = [];
    await visitDeadLetters(this.#client, this.#placeOf(name), (message) => {
      const letter = deadLetter(message);
      if (letter.deadLetterId > cursor) insert(page, letter, limit + 1);
      return false;
    });
    if (page.length <= limit) return { items: page };
    page.length = limit;
    return { items: page, next: page.at(-1)?.deadLetterId };
  }

  async replay(name: string, deadLetterIds: readonly string[]): Promise<number> {
    this.#client.assertOpen("replay dead letters");
    const { routes, sender } = this.#client;
    const route = routes.to(this.#placeOf(name));
    return this.#take(name, deadLetterIds, async (message) => {
      await sender.publish({ route, ...replayed(message) });
      return true;
    });
  }

  async discard(name: string, deadLetterIds: readonly string[]): Promise<number> {
    this.#client.assertOpen("discard dead letters");
    return this.#take(name, deadLetterIds, () => true);
  }

  #take(
    name: string,
    deadLetterIds: readonly string[],
    take: (message: ConsumeMessage) => boolean | Promise<boolean>,
  ): Promise<number> {
    const wanted = new Set(deadLetterIds);
    return visitDeadLetters(this.#client, this.#placeOf(name), (message) => {
      return wanted.delete(deadLetter(message).deadLetterId) && take(message);
    });
  }
}

/** Keeps the first ones only. */
function insert(page: DeadLetter[], letter: DeadLetter, most: number): void {
  const last = page[most - 1];
  if (last !== undefined && last.deadLetterId < letter.deadLetterId) return;
  const at = page.findLastIndex(({ deadLetterId }) => deadLetterId < letter.deadLetterId);
  page.splice(at + 1, 0, letter);
  page.length = Math.min(page.length, most);
}
