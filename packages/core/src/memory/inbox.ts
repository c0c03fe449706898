import type { Inbox } from "../ports/inbox.ts";
import type { MemoryConnection } from "./connection.ts";
import type { InboxTable } from "./inbox-table.ts";
import type { Store } from "./store.ts";

/** A node that reserves what it has reserved already gets it again: its answer was lost, or its first try came to nothing. */
export class MemoryInbox implements Inbox {
  readonly #store: Store;
  readonly #connection: MemoryConnection;
  readonly #table: InboxTable;

  constructor(store: Store, connection: MemoryConnection, namespace: string) {
    this.#store = store;
    this.#connection = connection;
    this.#table = store.namespace(namespace).inbox;
  }

  reserve(
    listener: string,
    messageId: string,
    options: { readonly leaseMs: number; readonly node: string },
  ): Promise<"reserved" | "completed" | "busy"> {
    return this.#connection.call("reserve", () =>
      this.#table.reserve(listener, messageId, options, this.#store.clock.now()),
    );
  }

  complete(listener: string, messageId: string, options: { readonly windowMs: number }): Promise<void> {
    return this.#connection.call("complete", () =>
      this.#table.complete(listener, messageId, options.windowMs, this.#store.clock.now()),
    );
  }

  release(listener: string, messageId: string, { node }: { readonly node: string }): Promise<void> {
    return this.#connection.call("release", () => this.#table.release(listener, messageId, node));
  }
}
