import { systemClock } from "@intermodal/core/ports";
import { type RedisAdapter, type RedisOptions, redis } from "@intermodal/store-redis";
import { Redis } from "ioredis";
import { LogBook } from "../faults/log-book.ts";

/** What one test opens, and what is logged meanwhile; everything is closed after it. */
export class RedisStage {
  readonly book = new LogBook();
  readonly namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
  readonly #closing: (() => unknown)[] = [];

  adapter(url: string, options: RedisOptions = {}): RedisAdapter {
    const context = { url, namespace: this.namespace, node: "node", clock: systemClock, logger: this.book };
    const adapter = redis(options).create(context) as RedisAdapter;
    this.atEnd(() => adapter.close());
    return adapter;
  }

  /** The test's own view of a server. */
  admin(url: string): Redis {
    const admin = new Redis(url);
    // What becomes of its commands is told by these.
    admin.on("error", () => {});
    this.atEnd(() => admin.disconnect());
    return admin;
  }

  atEnd(close: () => unknown): void {
    this.#closing.push(close);
  }

  async clear(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }
}
