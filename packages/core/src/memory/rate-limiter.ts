import type { RateLimit, RateLimiter } from "../ports/rate-limiter.ts";
import type { MemoryConnection } from "./connection.ts";
import type { RateTable } from "./rate-table.ts";
import type { Store } from "./store.ts";

/** Exact permits: never more than `permits` in any window of `perMs`, wherever it begins. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #store: Store;
  readonly #connection: MemoryConnection;
  readonly #rates: RateTable;

  constructor(store: Store, connection: MemoryConnection, namespace: string) {
    this.#store = store;
    this.#connection = connection;
    this.#rates = store.namespace(namespace).rates;
  }

  tryAcquire(key: string, limit: RateLimit): Promise<number> {
    return this.#connection.call("tryAcquire", () => this.#rates.tryAcquire(key, limit, this.#store.clock.now()));
  }
}
