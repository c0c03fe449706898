import type { Adapter, AdapterContext, AdapterHealth } from "../ports/adapter.ts";
import { MemoryCommandBus } from "./command-bus.ts";
import type { MemoryConnection } from "./connection.ts";
import { MemoryEventBus } from "./event-bus.ts";
import { MemoryEventStream } from "./event-stream.ts";
import { MemoryInbox } from "./inbox.ts";
import { MemoryRateLimiter } from "./rate-limiter.ts";
import { MemoryScheduleStore } from "./schedule-store.ts";
import type { MemoryServer } from "./server.ts";
import { MemoryTaskStateStore } from "./task-state-store.ts";

/** Every port over one connection to an in-process server. */
export class MemoryAdapter implements Adapter {
  readonly name = "memory";
  readonly server: MemoryServer;
  /** To bring about faults on purpose. */
  readonly connection: MemoryConnection;
  readonly commandBus: MemoryCommandBus;
  readonly eventBus: MemoryEventBus;
  readonly taskStateStore: MemoryTaskStateStore;
  readonly eventStream: MemoryEventStream;
  readonly scheduleStore: MemoryScheduleStore;
  readonly rateLimiter: MemoryRateLimiter;
  readonly inbox: MemoryInbox;

  constructor(server: MemoryServer, context: Pick<AdapterContext, "namespace" | "clock" | "logger">) {
    const { namespace, clock, logger } = context;
    const connection = server.connect();
    this.server = server;
    this.connection = connection;
    const bus = { broker: server.broker, limits: server.limits, connection, namespace, clock, logger };
    this.commandBus = new MemoryCommandBus(bus);
    this.eventBus = new MemoryEventBus(bus);
    this.taskStateStore = new MemoryTaskStateStore(server.store, connection, namespace);
    this.eventStream = new MemoryEventStream(server.store, connection, namespace);
    this.scheduleStore = new MemoryScheduleStore(server.store, connection, namespace);
    this.rateLimiter = new MemoryRateLimiter(server.store, connection, namespace);
    this.inbox = new MemoryInbox(server.store, connection, namespace);
  }

  connect(): Promise<void> {
    return this.connection.call("connect", () => {});
  }

  async health(): Promise<AdapterHealth> {
    this.connection.assertOpen("health");
    return { connected: this.connection.isUp, detail: "in this process; nothing survives it" };
  }

  async close(): Promise<void> {
    this.connection.close();
  }
}
