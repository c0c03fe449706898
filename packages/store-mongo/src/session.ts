import { type AdapterContext, type Clock, isIntermodalError, type Logger } from "@intermodal/core/ports";
import type { Collection, CollectionOptions, Document } from "mongodb";
import type { Connection } from "./connection.ts";
import { closed } from "./errors.ts";
import type { Settings } from "./options.ts";
import { type CollectionSpec, Topology } from "./topology.ts";

/**
 * What is read and what is acknowledged is held by a majority of a replica set's members, so that no change of its primary takes it back; a server without one takes these
 * for its own. The rest makes a host's client read documents as ours does.
 */
const COLLECTION_OPTIONS: CollectionOptions = {
  readConcern: { level: "majority" },
  readPreference: "primary",
  writeConcern: { w: "majority" },
  ignoreUndefined: true,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
  raw: false,
  fieldsAsRaw: {},
  serializeFunctions: false,
};

/** What all ports of one adapter work with: a namespace over a connection. */
export class Session {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topology: Topology;
  readonly #endings = new Set<() => void>();
  #isClosed = false;

  constructor(
    connection: Connection,
    settings: Settings,
    { namespace, clock, logger }: Pick<AdapterContext, "namespace" | "clock" | "logger">,
  ) {
    this.connection = connection;
    this.settings = settings;
    this.namespace = namespace;
    this.clock = clock;
    this.logger = logger;
    this.topology = new Topology(namespace);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws `CLOSED`. */
  assertOpen(what: string): void {
    if (this.#isClosed) throw closed(what);
  }

  /**
   * Runs an operation on one of the namespace's collections, which is made and checked before its first use.
   * @throws as `Connection.call`; `CONFIG_INVALID` for a collection that exists with other indexes.
   */
  async call<Doc extends Document, T>(
    what: string,
    spec: CollectionSpec,
    run: (collection: Collection<Doc>) => Promise<T>,
  ): Promise<T> {
    this.assertOpen(what);
    try {
      return await this.connection.call(what, async (db) => {
        await this.topology.ensure(db, spec, this.connection.generation);
        // The connection may be others' too, and stay.
        this.assertOpen(what);
        return run(db.collection<Doc>(this.topology.nameOf(spec), COLLECTION_OPTIONS));
      });
    } catch (error) {
      if (this.#isClosed) throw closed(what, isIntermodalError(error) && error.unknown);
      throw error;
    }
  }

  /** What the server's clock shows. @throws as `Connection.call`. */
  serverNow(what: string): Promise<number> {
    this.assertOpen(what);
    return this.connection.serverNow(what);
  }

  /** Runs `end` once: when it is called, or when the adapter closes. */
  onClose(end: () => void): () => void {
    const once = () => {
      if (this.#endings.delete(once)) end();
    };
    this.#endings.add(once);
    return once;
  }

  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#endings]) end();
  }
}
