import type { App, AppOptions } from "@intermodal/core";
import { Stage } from "../../faults/stage.ts";
import type { Server } from "../../servers/index.ts";
import { type StorePlace, storeAppAt } from "./apps.ts";
import { type Reader, readerOf } from "./reader-process.ts";
import { Worker, type WorkerSettings } from "./worker-process.ts";

/** What the cases are run on. */
export type StoreKind = "redis" | "mongo";

/** A stage of which the stores are the matter, and the broker only what carries the messages. */
export class StoreStage extends Stage {
  readonly storeKind: StoreKind;
  readonly store: Server;
  readonly stores: StorePlace;

  constructor(storeKind: StoreKind, store: Server, bus: Server, shortLeases: boolean) {
    super("nats", bus);
    this.storeKind = storeKind;
    this.store = store;
    this.stores = { ...this.place, state: store.url, streams: store.url, shortLeases };
  }

  /** An app in this process, that only submits and looks. */
  async client(place: Partial<StorePlace> = {}, options: Partial<AppOptions> = {}): Promise<App> {
    const app = await storeAppAt({ ...this.stores, ...place }, options);
    this.atEnd(() => app.stop({ timeoutMs: 0 }));
    return app;
  }

  /** A worker in a process of its own. Resolves when it consumes. */
  async worker(settings: Partial<WorkerSettings> & Pick<WorkerSettings, "by">): Promise<Worker> {
    const worker = new Worker({ ...this.stores, ...settings });
    this.atEnd(() => worker.kill());
    return worker.ready();
  }

  /** Follows runs in a process of its own. */
  reader(ids: readonly string[]): Reader {
    const reader = readerOf({ ...this.stores, ids });
    this.atEnd(() => reader.kill());
    return reader;
  }
}
