import { type NatsOptions, nats } from "@intermodal/adapter-nats";
import { ACK, type CommandBus, type Delivery, type EventBus, type Logger, systemClock } from "@intermodal/core/ports";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { expect, vi } from "vitest";
import { type Server, startProxy, startServer, type Proxy as TcpProxy } from "../servers/index.ts";

export const SOON = { timeout: 15_000, interval: 20 };
export const LISTENER = { service: "shop", listener: "reader" };
export const LISTENERS_DURABLE = "l_shop=_reader";

const utf8 = (text: string) => new TextEncoder().encode(text);
export const command = (id: string) => ({ queue: "work", id, type: "probe", body: utf8(id) });
export const event = (id: string, type = "a") => ({ id, type, body: utf8(id) });

/** One process's adapter, behind a proxy of its own. */
export interface Process {
  readonly commandBus: CommandBus;
  readonly eventBus: EventBus;
  readonly proxy: TcpProxy;
}

/** A NATS server, what its operator does to it, and processes in a namespace per test. */
export class NatsStage {
  readonly server: Server;
  readonly manager: JetStreamManager;
  readonly #operator: NatsConnection;
  readonly #open: (() => Promise<void>)[] = [];
  #namespace = 0;

  private constructor(server: Server, operator: NatsConnection, manager: JetStreamManager) {
    this.server = server;
    this.#operator = operator;
    this.manager = manager;
  }

  static async start(): Promise<NatsStage> {
    const server = await startServer("nats");
    const operator = await connect({ servers: server.url, maxReconnectAttempts: -1 });
    return new NatsStage(server, operator, await jetstreamManager(operator));
  }

  get tasks(): string {
    return `im_n${this.#namespace}_TASKS`;
  }

  get events(): string {
    return `im_n${this.#namespace}_EVENTS`;
  }

  async process(options: NatsOptions = {}): Promise<Process> {
    const proxy = await startProxy(this.server.port);
    const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
    const url = `nats://127.0.0.1:${proxy.port}`;
    const context = { url, namespace: `n${this.#namespace}`, node: "test", clock: systemClock, logger };
    const adapter = nats({ leaseMs: 3_000, ...options }).create(context);
    this.#open.push(
      () => adapter.close(),
      () => proxy.close(),
    );
    const { commandBus, eventBus } = adapter;
    if (commandBus === undefined || eventBus === undefined) return expect.fail("a bus is missing");
    return { commandBus, eventBus, proxy };
  }

  async stored(stream: string): Promise<number> {
    return (await this.manager.streams.info(stream)).state.messages;
  }

  /** After each test. */
  async clear(): Promise<void> {
    for (const close of this.#open.splice(0)) await close();
    this.#namespace++;
  }

  async close(): Promise<void> {
    await this.#operator.close();
    await this.server.close();
  }
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

/** A handler that notes what comes. */
export function recorder() {
  const ids: string[] = [];
  const handle = async ({ id }: Delivery) => {
    ids.push(id);
    return ACK;
  };
  return { ids, handle };
}
