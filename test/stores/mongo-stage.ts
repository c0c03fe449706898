import { encodeName, systemClock } from "@intermodal/core/ports";
import { type MongoAdapter, type MongoOptions, mongo } from "@intermodal/store-mongo";
import { type Collection, type Document, MongoClient } from "mongodb";
import { LogBook } from "../faults/log-book.ts";

/** What one test opens, and what is logged meanwhile; everything is closed after it. */
export class MongoStage {
  readonly book = new LogBook();
  readonly namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
  readonly #closing: (() => unknown)[] = [];

  adapter(url: string, options: MongoOptions = {}): MongoAdapter {
    const context = { url, namespace: this.namespace, node: "node", clock: systemClock, logger: this.book };
    const adapter = mongo(options).create(context) as MongoAdapter;
    this.atEnd(() => adapter.close());
    return adapter;
  }

  /** The test's own view of a server. */
  admin(url: string): MongoClient {
    const admin = new MongoClient(url);
    this.atEnd(() => admin.close());
    return admin;
  }

  /** One of this test's collections, as people see it. */
  collection(admin: MongoClient, part: string): Collection<Document & { _id: string }> {
    return admin.db("intermodal").collection(`im_${encodeName(this.namespace)}_${part}`);
  }

  atEnd(close: () => unknown): void {
    this.#closing.push(close);
  }

  async clear(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }
}
