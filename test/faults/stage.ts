import type { App, AppOptions } from "@intermodal/core";
import { type CommandBus, type EventBus, silentLogger, systemClock } from "@intermodal/core/ports";
import { AdapterCatalogue } from "../../packages/core/src/app/config.ts";
import type { Server } from "../servers/index.ts";
import { Actor, type ActorSettings } from "./actor-process.ts";
import { appAt, type BrokerKind, LEASE_MS, type Place, SHORT_LEASE_MS } from "./apps.ts";

let stages = 0;

/** A broker, a namespace of one case's own on it, and what the case has running there, which ends with it. */
export class Stage {
  readonly kind: BrokerKind;
  readonly server: Server;
  readonly place: Place;
  readonly #ends: (() => Promise<unknown>)[] = [];

  constructor(kind: BrokerKind, server: Server) {
    this.kind = kind;
    this.server = server;
    this.place = { url: server.url, namespace: `faults-${process.pid}-${++stages}` };
  }

  /** How long a holder that died keeps its deliveries. */
  leaseMs({ shortLeases }: { readonly shortLeases: boolean }): number {
    return shortLeases ? SHORT_LEASE_MS : LEASE_MS[this.kind];
  }

  /** An app in this process. */
  async app(place: Partial<Place> = {}, options: Partial<AppOptions> = {}): Promise<App> {
    const app = await appAt({ ...this.place, ...place }, options);
    this.atEnd(() => app.stop({ timeoutMs: 0 }));
    return app;
  }

  /** The adapter alone, for what no app would do. */
  async adapter(): Promise<{ readonly commandBus: CommandBus; readonly eventBus: EventBus }> {
    const { namespace, url } = this.place;
    const factory = await new AdapterCatalogue([]).load(url);
    const adapter = factory.create({ url, namespace, node: "faults", clock: systemClock, logger: silentLogger });
    this.atEnd(() => adapter.close());
    const { commandBus, eventBus } = adapter;
    if (commandBus === undefined || eventBus === undefined) throw new Error(`adapter "${adapter.name}" has no buses`);
    return { commandBus, eventBus };
  }

  /** A worker or listener in a process of its own. Resolves when it consumes. */
  actor(settings: Partial<ActorSettings> = {}): Promise<Actor> {
    return this.begin(settings).ready();
  }

  /** As `actor`, without waiting for it. */
  begin(settings: Partial<ActorSettings> = {}): Actor {
    const actor = new Actor({ ...this.place, ...settings });
    this.atEnd(() => actor.kill());
    return actor;
  }

  atEnd(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  async clear(): Promise<void> {
    await Promise.allSettled(this.#ends.reverse().map((end) => end()));
  }
}
