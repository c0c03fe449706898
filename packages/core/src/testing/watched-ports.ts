import type { Ports } from "../app/runtime.ts";
import { IntermodalError } from "../errors.ts";
import type { OutgoingCommand } from "../ports/command-bus.ts";
import type { OutgoingEvent } from "../ports/event-bus.ts";

/** The ports whose next calls can be made to fail. */
export type PortName = "commandBus" | "eventBus" | "taskStateStore" | "eventStream";

/** They answer with an iterable and with what stops them, not with a promise, and never fail at once. */
const NOT_CALLS: ReadonlySet<string | symbol> = new Set(["follow", "changes"]);

/** Ports that note what is sent and published, and fail when told to. */
export class WatchedPorts {
  readonly sent: OutgoingCommand[] = [];
  readonly published: OutgoingEvent[] = [];
  readonly #toFail = new Map<PortName, number>();
  readonly #open: {
    readonly queues: Set<string>;
    readonly listeners: Map<string, { service: string; listener: string }>;
  } = {
    queues: new Set(),
    listeners: new Map(),
  };
  readonly ports: Ports;
  readonly #inner: Ports;

  constructor(inner: Ports) {
    this.#inner = inner;
    this.ports = {
      ...inner,
      commandBus: this.#watch("commandBus", inner.commandBus, {
        send: (commands: readonly OutgoingCommand[]) => {
          for (const { queue } of commands) this.#open.queues.add(queue);
          return inner.commandBus.send(commands).then(() => void this.sent.push(...commands));
        },
      }),
      eventBus: this.#watch("eventBus", inner.eventBus, {
        publish: (events: readonly OutgoingEvent[]) =>
          inner.eventBus.publish(events).then(() => void this.published.push(...events)),
        listen: (...call: Parameters<typeof inner.eventBus.listen>) => {
          this.#open.listeners.set(`${call[0].service}/${call[0].listener}`, call[0]);
          return inner.eventBus.listen(...call);
        },
      }),
      taskStateStore: inner.taskStateStore && this.#watch("taskStateStore", inner.taskStateStore, {}),
      eventStream: inner.eventStream && this.#watch("eventStream", inner.eventStream, {}),
    };
  }

  failNext(port: PortName, count: number): void {
    this.#toFail.set(port, count);
  }

  /** Messages that are ready for somebody or in somebody's hands. */
  async underWay(): Promise<number> {
    let count = 0;
    for (const queue of this.#open.queues) {
      const { ready, inFlight } = await this.#inner.commandBus.inspect(queue);
      count += ready + (inFlight ?? 0);
    }
    for (const listener of this.#open.listeners.values()) {
      const { pending, inFlight } = await this.#inner.eventBus.inspect(listener);
      count += pending + (inFlight ?? 0);
    }
    return count;
  }

  #watch<Port extends object>(name: PortName, port: Port, instead: Partial<Port>): Port {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(instead, property) ?? Reflect.get(target, property);
        if (typeof value !== "function") return value;
        if (NOT_CALLS.has(property)) return value.bind(target) as unknown;
        return (...call: unknown[]) => {
          const left = this.#toFail.get(name) ?? 0;
          if (left === 0) return value.apply(target, call) as unknown;
          this.#toFail.set(name, left - 1);
          return Promise.reject(
            new IntermodalError("UNAVAILABLE", `${name}.${String(property)} was told to fail by failNext`),
          );
        };
      },
    });
  }
}
