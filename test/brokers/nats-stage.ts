import { type NatsAdapter, type NatsOptions, nats } from "@intermodal/adapter-nats";
import { ACK, type Clock, type Delivery, type Logger, type Settlement, systemClock } from "@intermodal/core/ports";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Server, startProxy, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";

export const SOON = { timeout: 15_000, interval: 20 };
export const LISTENER = { service: "shop", listener: "reader" };

const utf8 = (text: string) => new TextEncoder().encode(text);
export const command = (id: string, delayMs = 0) => ({ queue: "work", id, type: "probe", body: utf8(id), delayMs });
export const event = (id: string, type = "a") => ({ id, type, body: utf8(id) });

export interface MakeOptions extends NatsOptions {
  readonly url?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** What tests run on. */
export interface Site {
  /** Why it can't be had here. */
  missing(): Promise<string | undefined>;
  /** The first one is what adapters and the operator connect to. */
  start(): Promise<readonly [Server, ...Server[]]>;
}

const ONE_SERVER: Site = {
  missing: () => whyMissing("nats"),
  start: async () => [await startServer("nats")],
};

/** Adapters on a real server, beside them an operator. Each test has a namespace of its own. */
export class NatsStage {
  server!: Server;
  operator!: NatsConnection;
  manager!: JetStreamManager;
  /** What this test's adapters told. */
  readonly log: string[] = [];
  readonly #open: (() => Promise<void>)[] = [];
  #namespaces = 0;

  get namespace(): string {
    return `n${this.#namespaces}`;
  }

  get tasks(): string {
    return `im_${this.namespace}_TASKS`;
  }

  get events(): string {
    return `im_${this.namespace}_EVENTS`;
  }

  make({ url = this.server.url, clock = systemClock, ...options }: MakeOptions = {}): NatsAdapter {
    const note = (message: string) => void this.log.push(message);
    const logger: Logger = { debug() {}, info: note, warn: note, error: note };
    const context = { url, namespace: this.namespace, node: "test", clock, logger };
    const adapter = nats({ leaseMs: 3_000, ...options }).create(context) as NatsAdapter;
    this.#open.push(() => adapter.close());
    return adapter;
  }

  /** One process's adapter, behind a proxy of its own. */
  async process(options: NatsOptions = {}) {
    const proxy = await startProxy(this.server.port);
    const { commandBus, eventBus } = this.make({ ...options, url: `nats://127.0.0.1:${proxy.port}` });
    this.#open.push(() => proxy.close());
    return { commandBus, eventBus, proxy };
  }

  async stored(stream: string): Promise<number> {
    return (await this.manager.streams.info(stream)).state.messages;
  }

  /** Before anything else. */
  async open(server: Server): Promise<void> {
    this.server = server;
    this.operator = await connect({ servers: server.url, maxReconnectAttempts: -1, ignoreClusterUpdates: true });
    // A cluster that was just started does not answer yet.
    this.manager = await jetstreamManager(this.operator, { checkAPI: false });
  }

  /** After each test. */
  async clear(): Promise<void> {
    for (const close of this.#open.splice(0)) await close();
    this.log.length = 0;
    this.#namespaces++;
  }
}

/** Declares tests on a server that they share; skipped where there is none. */
export async function onNats(title: string, declare: (stage: NatsStage) => void, site = ONE_SERVER): Promise<void> {
  const missing = await site.missing();
  if (missing !== undefined) {
    test(title, (t) => skipWithout(missing, t));
    return;
  }
  describe(title, () => {
    const stage = new NatsStage();
    beforeAll(async () => {
      const servers = await site.start();
      await stage.open(servers[0]);
      return async () => {
        await stage.operator.close();
        await Promise.all(servers.map((server) => server.close()));
      };
    });
    afterEach(() => stage.clear());
    declare(stage);
  });
}

/** A handler that ends each message when it is told to. */
export function holder() {
  const all = new Map<string, { readonly delivery: Delivery; readonly end: () => void }>();
  const handle = async (delivery: Delivery) => {
    const ended = Promise.withResolvers<void>();
    all.set(delivery.id, { delivery, end: ended.resolve });
    await ended.promise;
    return ACK;
  };
  /** Resolves once it has come. */
  const held = (id: string) => vi.waitFor(() => all.get(id) ?? expect.fail(`${id} has not come`), SOON);
  return { handle, held };
}

/** A handler that notes what comes, and settles it as `settle` says. */
export function recorder(settle: (delivery: Delivery) => Settlement | Promise<Settlement> = () => ACK) {
  const seen: Delivery[] = [];
  const handle = async (delivery: Delivery) => {
    seen.push(delivery);
    return settle(delivery);
  };
  return {
    handle,
    ids: () => seen.map(({ id }) => id),
    tries: () => seen.map(({ id, attempt }) => `${id} ${attempt}`),
  };
}
