import {
  ACK,
  type Adapter,
  type DeadLetters,
  type EventBus,
  IntermodalError,
  type ListenerName,
  type OutgoingEvent,
} from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { withoutSuffix } from "./bus.ts";
import { CONSUMING } from "./consuming.ts";
import { HANDLING } from "./handling.ts";
import { override, perServer, type Sabotage } from "./sabotage.ts";
import { SENDING, sabotagesOf } from "./sending.ts";

/** An event bus with some of its members replaced. */
function sabotage(
  name: string,
  breaks: readonly string[],
  members: (bus: EventBus, server: MemoryServer, adapter: MemoryAdapter) => Partial<EventBus>,
): Sabotage {
  return {
    name: `event-bus ${name}`,
    subject: "eventBus",
    breaks: breaks.map((caseName) => `event-bus/${caseName}`),
    wrap: (adapter, server) => {
      const { eventBus } = adapter;
      return override<Adapter>(adapter, { eventBus: override<EventBus>(eventBus, members(eventBus, server, adapter)) });
    },
  };
}

/** The same listener under another name. */
function renamed(bus: EventBus, rename: (listener: ListenerName) => ListenerName): Partial<EventBus> {
  return {
    listen: (listener, options, handle) => bus.listen(rename(listener), options, handle),
    forget: (listener) => bus.forget(rename(listener)),
    inspect: (listener) => bus.inspect(rename(listener)),
  };
}

const listening = perServer(() => new Set<string>());
const places = perServer(() => new Set<string>());
const turns = perServer(() => ({ last: Promise.resolve() as Promise<unknown> }));
let copies = 0;

export const eventBusSabotages: readonly Sabotage[] = [
  ...sabotagesOf("eventBus", [...SENDING, ...HANDLING, ...CONSUMING]),

  sabotage("refuses events for which there is no listener", ["without-listener"], (bus, server) => ({
    listen: (listener, options, handle) => {
      for (const type of options.types) listening(server).add(type);
      return bus.listen(listener, options, handle);
    },
    publish: async (events) => {
      if (events.some(({ type }) => !listening(server).has(type)))
        throw new IntermodalError("UNROUTABLE", "nobody listens");
      return bus.publish(events);
    },
  })),

  sabotage("gives each event to one listener", ["every-listener", "services-apart", "slow-listener"], (bus) =>
    renamed(bus, () => ({ service: "service", listener: "everybody" })),
  ),

  sabotage("gives a listener the first of its types only", ["every-listener"], (bus) => ({
    listen: (listener, options, handle) =>
      bus.listen(listener, { ...options, types: options.types.slice(0, 1) }, handle),
  })),

  sabotage("gives a listener other types too", ["every-listener"], (bus) => ({
    listen: (listener, options, handle) => {
      const types = [...options.types, "book.created", "book.deleted", "book"];
      return bus.listen(listener, { ...options, types: [...new Set(types)] }, handle);
    },
  })),

  sabotage("makes the durable after listen has resolved", ["every-listener"], (bus, server) => ({
    listen: async (listener, options, handle) => {
      let closed = false;
      server.clock.schedule(50, () => {
        if (!closed) void bus.listen(listener, options, handle);
      });
      return {
        close: async () => {
          closed = true;
          return { running: 0 };
        },
      };
    },
  })),

  sabotage("removes the durable when its consumption closes", ["away-catches-up"], (bus) => ({
    listen: async (listener, options, handle) => {
      const consumption = await bus.listen(listener, options, handle);
      return {
        close: async (limit) => {
          const closed = await consumption.close(limit);
          await bus.forget(listener);
          return closed;
        },
      };
    },
  })),

  sabotage("starts every listener at the oldest event", ["start-policy"], (bus) => ({
    listen: (listener, options, handle) => bus.listen(listener, { ...options, from: "earliest" }, handle),
  })),

  sabotage("starts every listener at what comes", ["start-policy"], (bus) => ({
    listen: (listener, options, handle) => bus.listen(listener, { ...options, from: "new" }, handle),
  })),

  sabotage("declares that it has no history, and replays it", ["start-policy"], (bus) => ({
    capabilities: { ...bus.capabilities, replaysHistory: false },
  })),

  sabotage("lets all listeners wait for the slowest", ["slow-listener"], (bus, server) => ({
    listen: (listener, options, handle) =>
      bus.listen(listener, options, (delivery) => {
        const turn = turns(server).last.then(() => handle(delivery));
        turns(server).last = turn.catch(() => {});
        return turn;
      }),
  })),

  sabotage("retries by publishing again", ["own-retries"], (bus, server) => ({
    listen: (listener, options, handle) =>
      bus.listen(listener, options, async (delivery) => {
        const { type, body } = delivery;
        const id = withoutSuffix(delivery.id);
        const settlement = await handle(override(delivery, { id }));
        if (settlement.kind !== "retry") return settlement;
        const copy: OutgoingEvent = { id: `${id}#${++copies}`, type, body };
        server.clock.schedule(settlement.delayMs, () => void bus.publish([copy]).catch(() => {}));
        return ACK;
      }),
  })),

  sabotage("puts all listeners' dead letters into one box", ["own-dead-letters"], (bus, server) => ({
    listen: (listener, options, handle) => {
      places(server).add(`${listener.service}/${listener.listener}`);
      return bus.listen(listener, options, handle);
    },
    deadLetters: override<DeadLetters>(bus.deadLetters, {
      list: async (_, options) => {
        const pages = await Promise.all([...places(server)].map((place) => bus.deadLetters.list(place, options)));
        return { items: pages.flatMap(({ items }) => items) };
      },
    }),
  })),

  sabotage("forgets nothing", ["forget"], () => ({ forget: async () => {} })),

  sabotage("takes equal listener names of two services for one", ["services-apart"], (bus) =>
    renamed(bus, ({ listener }) => ({ service: "service", listener })),
  ),

  sabotage("keeps quiet about gaps", ["gap"], (bus) => ({
    listen: (listener, options, handle) => bus.listen(listener, { ...options, onGap: () => {} }, handle),
  })),

  sabotage("tells a gap twice", ["gap"], (bus) => ({
    listen: (listener, options, handle) => {
      const onGap = (missed: number) => {
        options.onGap?.(missed);
        options.onGap?.(missed);
      };
      return bus.listen(listener, { ...options, onGap }, handle);
    },
  })),

  sabotage("declares that it counts no gaps, and tells them", ["gap"], (bus) => ({
    capabilities: { ...bus.capabilities, countsGaps: false },
  })),

  sabotage("declares that it can't count what is in flight, and counts it", ["inspect", "forget"], (bus) => ({
    capabilities: { ...bus.capabilities, countsInFlight: false },
  })),

  sabotage("declares that it can't count what is delayed, and counts it", ["inspect", "forget"], (bus) => ({
    capabilities: { ...bus.capabilities, countsDelayed: false },
  })),

  sabotage("counts nothing as pending", ["inspect"], (bus) => ({
    inspect: async (listener) => ({ ...(await bus.inspect(listener)), pending: 0 }),
  })),

  sabotage("takes events after it was closed", ["closed"], (bus, _, adapter) => ({
    publish: async (events) => (adapter.connection.isClosed ? undefined : bus.publish(events)),
  })),
];
