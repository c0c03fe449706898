import type { Ports } from "@intermodal/core";
import { type Adapter, type DeliveryHandler, IntermodalError, type Settlement } from "@intermodal/core/ports";

/** One call of a port, such as `taskStateStore.settle`, or one settlement, such as `commandBus.ack`. */
export interface PortCall {
  readonly name: string;
  readonly kind: "call" | "settlement";
}

/** What is done around a call: at first `run()`. */
export type Around = (call: PortCall, run: () => Promise<unknown>) => Promise<unknown>;

/** Methods that answer at once: told nothing about. */
const SYNCHRONOUS = new Set(["changes", "follow"]);

export interface SwitchedPortsOptions {
  /** Ports that the process does without. */
  readonly omitted: readonly (keyof Ports)[];
  /** Called for each call that gets through. */
  readonly during: Around;
}

/**
 * The ports of one process, with a switch: from the moment it is dead no call comes back and no settlement goes out. What hangs so is let go when it is
 * buried, so that the process's app can be stopped. While it is blocked, nothing comes in or goes out.
 */
export class SwitchedPorts {
  readonly ports: Ports;
  around: Around = (_, run) => run();
  #state: "alive" | "dead" | "buried" = "alive";
  #blocked: PromiseWithResolvers<void> | undefined;
  readonly #hanging = new Set<(error: Error) => void>();
  readonly #during: Around;

  constructor(adapter: Adapter, { omitted, during }: SwitchedPortsOptions) {
    this.#during = during;
    const tap = <Name extends keyof Ports>(name: Name): Ports[Name] => {
      const port = omitted.includes(name) ? undefined : adapter[name];
      return (port && this.#tap(name, port)) as Ports[Name];
    };
    this.ports = {
      commandBus: tap("commandBus"),
      eventBus: tap("eventBus"),
      taskStateStore: tap("taskStateStore"),
      eventStream: tap("eventStream"),
      scheduleStore: tap("scheduleStore"),
      rateLimiter: tap("rateLimiter"),
      inbox: tap("inbox"),
    };
  }

  block(): void {
    this.#blocked ??= Promise.withResolvers();
  }

  unblock(): void {
    this.#blocked?.resolve();
    this.#blocked = undefined;
  }

  die(): void {
    this.#state = "dead";
  }

  bury(): void {
    this.#state = "buried";
    for (const release of this.#hanging) release(buried());
    this.#hanging.clear();
  }

  #tap<Port extends object>(name: string, port: Port): Port {
    const known = new Map<PropertyKey, unknown>();
    return new Proxy(port, {
      get: (target, key) => {
        if (!known.has(key)) known.set(key, this.#member(target, name, key));
        return known.get(key);
      },
    });
  }

  #member(port: object, portName: string, key: PropertyKey): unknown {
    const member: unknown = Reflect.get(port, key);
    const name = `${portName}.${String(key)}`;
    if (key === "deadLetters" && typeof member === "object" && member !== null) return this.#tap(name, member);
    if (typeof member !== "function") return member;
    const call = (args: unknown[]): Promise<unknown> => Reflect.apply(member, port, args) as Promise<unknown>;
    if (SYNCHRONOUS.has(String(key))) return (...args: unknown[]) => call(args);
    if (key !== "work" && key !== "listen") {
      return (...args: unknown[]) => this.#run({ name, kind: "call" }, () => call(args));
    }
    return (...args: unknown[]) =>
      this.#run({ name, kind: "call" }, async () => {
        const handle = args.at(-1) as DeliveryHandler;
        const consumption = await call([...args.slice(0, -1), this.#handler(portName, handle)]);
        return this.#tap(`${portName}.consumption`, consumption as object);
      });
  }

  #handler(portName: string, handle: DeliveryHandler): DeliveryHandler {
    return async (delivery) => {
      await this.#pass();
      const settlement = await handle(delivery);
      const call = { name: `${portName}.${settlement.kind}`, kind: "settlement" } as const;
      return (await this.#run(call, async () => settlement)) as Settlement;
    };
  }

  async #run(call: PortCall, run: () => Promise<unknown>): Promise<unknown> {
    if (this.#state === "buried" && call.name.endsWith(".consumption.close")) return { running: 0 };
    await this.#pass();
    try {
      return await this.around(call, async () => {
        await this.#pass();
        return this.#during(call, run);
      });
    } finally {
      await this.#pass();
    }
  }

  /** Nothing passes in or out of a process that is blocked or dead. */
  async #pass(): Promise<void> {
    while (this.#blocked !== undefined) await this.#blocked.promise;
    if (this.#state !== "alive") await this.#end();
  }

  #end(): Promise<never> {
    if (this.#state === "buried") return Promise.reject(buried());
    return new Promise((_, reject) => this.#hanging.add(reject));
  }
}

function buried(): IntermodalError {
  return new IntermodalError("CLOSED", "the process is dead");
}
