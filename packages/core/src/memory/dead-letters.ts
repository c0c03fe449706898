import type { DeadLetter, DeadLetters, Page, PageOptions } from "../ports/delivery.ts";
import type { MemoryConnection } from "./connection.ts";
import type { MessageQueue } from "./message-queue.ts";

/** The dead letters of queues or of listeners. An unknown place is empty. */
export class MemoryDeadLetters implements DeadLetters {
  readonly #connection: MemoryConnection;
  readonly #find: (place: string) => MessageQueue | undefined;

  constructor(connection: MemoryConnection, find: (place: string) => MessageQueue | undefined) {
    this.#connection = connection;
    this.#find = find;
  }

  list(place: string, options?: PageOptions): Promise<Page<DeadLetter>> {
    return this.#connection.call("list dead letters", () => this.#find(place)?.dead.list(options) ?? { items: [] });
  }

  replay(place: string, deadLetterIds: readonly string[]): Promise<number> {
    return this.#connection.call("replay dead letters", () => this.#find(place)?.replay(deadLetterIds) ?? 0);
  }

  discard(place: string, deadLetterIds: readonly string[]): Promise<number> {
    return this.#connection.call("discard dead letters", () => this.#find(place)?.dead.take(deadLetterIds).length ?? 0);
  }
}
