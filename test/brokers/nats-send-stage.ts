import { type NatsOptions, nats } from "@intermodal/adapter-nats";
import {
  ACK,
  type Adapter,
  type Clock,
  type CommandBus,
  type Delivery,
  type EventBus,
  type Logger,
  type Settlement,
  systemClock,
} from "@intermodal/core/ports";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";

export const SOON = { timeout: 8_000, interval: 20 };
export const utf8 = (text: string) => new TextEncoder().encode(text);
export const command = (id: string, delayMs = 0) => ({ queue: "work", id, type: "probe", body: utf8(id), delayMs });
export const event = (id: string) => ({ id, type: "book.created", body: utf8(id) });
export const reader = { service: "shop", listener: "reader" };
export const books = { types: ["book.created"], from: "earliest" as const, concurrency: 5 };

/** The machine's clock, as somebody sets it. */
export class SetClock implements Clock {
  aheadMs = 0;

  now(): number {
    return systemClock.now() + this.aheadMs;
  }

  schedule(delayMs: number, run: () => void): () => void {
    return systemClock.schedule(delayMs, run);
  }
}

export interface MakeOptions extends NatsOptions {
  readonly url?: string | undefined;
  readonly clock?: Clock | undefined;
}

export type Both = Adapter & { readonly commandBus: CommandBus; readonly eventBus: EventBus };

/** Adapters on a real server, beside them an operator. Each test has a namespace of its own. */
export class NatsStage {
  readonly log: string[] = [];
  readonly #adapters: Adapter[] = [];
  #namespaces = 0;
  #server: Server | undefined;
  #operator: NatsConnection | undefined;
  #manager: JetStreamManager | undefined;

  get server(): Server {
    return this.#server ?? expect.fail("no server");
  }

  get manager(): JetStreamManager {
    return this.#manager ?? expect.fail("no server");
  }

  get operator(): NatsConnection {
    return this.#operator ?? expect.fail("no server");
  }

  get namespace(): string {
    return `n${this.#namespaces}`;
  }

  get tasks(): string {
    return `im_${this.namespace}_TASKS`;
  }

  get events(): string {
    return `im_${this.namespace}_EVENTS`;
  }

  make({ url = this.server.url, clock = systemClock, ...options }: MakeOptions = {}): Both {
    const note = (message: string) => void this.log.push(message);
    const logger: Logger = { debug() {}, info: note, warn: note, error: note };
    const context = { url, namespace: this.namespace, node: "test", clock, logger };
    const adapter = nats({ leaseMs: 2_000, ...options }).create(context);
    this.#adapters.push(adapter);
    return adapter as Both;
  }

  async open(): Promise<void> {
    this.#server = await startServer("nats");
    this.#operator = await connect({ servers: this.server.url });
    this.#manager = await jetstreamManager(this.#operator);
  }

  begin(): void {
    this.#namespaces++;
    this.log.length = 0;
  }

  async end(): Promise<void> {
    await Promise.all(this.#adapters.splice(0).map((adapter) => adapter.close()));
  }

  async close(): Promise<void> {
    await this.#operator?.close();
    await this.#server?.close();
  }
}

/** Declares tests on a server that they share; skipped where there is none. */
export async function onNats(title: string, declare: (stage: NatsStage) => void): Promise<void> {
  const missing = await whyMissing("nats");
  if (missing !== undefined) {
    test(title, (t) => skipWithout(missing, t));
    return;
  }
  describe(title, () => {
    const stage = new NatsStage();
    beforeAll(() => stage.open());
    afterAll(() => stage.close());
    beforeEach(() => stage.begin());
    afterEach(() => stage.end());
    declare(stage);
  });
}

/** Notes what is delivered, and settles it as `settle` says. */
export function recorder(settle: (delivery: Delivery) => Settlement = () => ACK) {
  const seen: { readonly id: string; readonly attempt: number; readonly at: number }[] = [];
  const handle = async (delivery: Delivery) => {
    seen.push({ id: delivery.id, attempt: delivery.attempt, at: performance.now() });
    return settle(delivery);
  };
  return { seen, handle, tries: () => seen.map(({ id, attempt }) => `${id} ${attempt}`) };
}
