import { type RabbitOptions, rabbit } from "@intermodal/adapter-rabbit";
import type { Harness } from "@intermodal/conformance";
import { type Adapter, silentLogger } from "@intermodal/core/ports";
import { type Channel, connect } from "amqplib";
import { RUNGS_MS } from "../../packages/adapter-rabbit/src/delays.ts";
import { Names, type Place } from "../../packages/adapter-rabbit/src/names.ts";
import { ProcessClock } from "../../packages/core/src/testing/virtual-clock.ts";
import { type Server, startProxy, type Proxy as TcpProxy } from "../servers/index.ts";

/** A short one only makes tests quick: a frozen holder is found out after two to three of them. */
const HEARTBEAT_MS = 1_000;
/** How the method `basic.publish` begins on the wire. */
const PUBLISH = Buffer.of(0, 60, 0, 40);

interface Client {
  readonly proxy: TcpProxy;
  readonly process: ProcessClock;
}

/** What a namespace left on the server: RabbitMQ itself does not list it over AMQP. */
class Footprint {
  readonly names: Names;
  readonly queues = new Map<string, Place>();
  readonly listeners = new Map<string, Place>();
  readonly proxies: TcpProxy[] = [];

  constructor(namespace: string) {
    this.names = new Names(namespace);
  }

  /** Notes the places that this client uses. */
  follow({ commandBus, eventBus }: Adapter): void {
    if (commandBus === undefined || eventBus === undefined) return;
    const [send, work, listen] = [commandBus.send, commandBus.work, eventBus.listen];
    commandBus.send = (commands) => {
      for (const { queue } of commands) this.queues.set(queue, this.names.queue(queue));
      return send.call(commandBus, commands);
    };
    commandBus.work = (queue, options, handle) => {
      this.queues.set(queue, this.names.queue(queue));
      return work.call(commandBus, queue, options, handle);
    };
    eventBus.listen = (name, options, handle) => {
      const place = this.names.listener(name);
      this.listeners.set(place.queue, place);
      return listen.call(eventBus, name, options, handle);
    };
  }

  async remove(channel: Channel): Promise<void> {
    const { direct, events, delays, due, unrouted } = this.names;
    for (const place of [...this.queues.values(), ...this.listeners.values()]) {
      for (const queue of [place.queue, place.dead, place.lock]) await channel.deleteQueue(queue);
    }
    for (const rung of RUNGS_MS) await channel.deleteQueue(this.names.rung(rung));
    await channel.deleteQueue(unrouted);
    for (const exchange of [direct, events, delays, due, unrouted]) await channel.deleteExchange(exchange);
  }
}

/** The RabbitMQ adapter on a real server, each client through a proxy of its own. */
export function rabbitHarness(server: Server, size: Harness["size"] = "small", options: RabbitOptions = {}): Harness {
  const clients = new Map<Adapter, Client>();
  const client = (adapter: Adapter): Client => {
    const found = clients.get(adapter);
    if (found === undefined) throw new Error("this adapter was not made by this harness");
    return found;
  };
  const footprints = new Map<string, Footprint>();
  const footprint = (namespace: string): Footprint => {
    const found = footprints.get(namespace) ?? new Footprint(namespace);
    footprints.set(namespace, found);
    return found;
  };
  const factory = rabbit({ heartbeatMs: HEARTBEAT_MS, ...options });
  return {
    name: "rabbit",
    size,
    async create({ namespace, node, clock }) {
      const proxy = await startProxy(server.port);
      const process = new ProcessClock(clock);
      const url = new URL(server.url);
      url.port = String(proxy.port);
      const adapter = factory.create({ url: url.href, namespace, node, clock: process, logger: silentLogger });
      clients.set(adapter, { proxy, process });
      footprint(namespace).proxies.push(proxy);
      footprint(namespace).follow(adapter);
      return adapter;
    },
    faults: {
      stop: () => server.kill(),
      start: () => server.start(),
      cut: async (adapter) => client(adapter).proxy.cut(),
      mend: async (adapter) => client(adapter).proxy.mend(),
      loseAnswers: async (adapter, count) => {
        client(adapter).proxy.loseAnswers(count, (chunk) => chunk.includes(PUBLISH));
      },
      kill: async (adapter) => {
        client(adapter).process.stop();
        client(adapter).proxy.cut();
      },
      deleteConsumer: (namespace, queue) =>
        administer(server, async (channel) => {
          await channel.deleteQueue(footprint(namespace).names.queue(queue).queue);
        }),
      trimEvents: (namespace) =>
        administer(server, async (channel) => {
          for (const { queue } of footprint(namespace).listeners.values()) await channel.purgeQueue(queue);
        }),
    },
    async cleanup(namespace) {
      const left = footprint(namespace);
      await administer(server, (channel) => left.remove(channel));
      for (const proxy of left.proxies) await proxy.close();
      footprints.delete(namespace);
    },
  };
}

/** Through a connection of its own, beside the clients' proxies. */
async function administer(server: Server, act: (channel: Channel) => Promise<void>): Promise<void> {
  const connection = await connect(server.url);
  try {
    await act(await connection.createChannel());
  } finally {
    await connection.close();
  }
}
