import {
  ACK,
  type Adapter,
  type EventBus,
  type ListenerInspection,
  type ListenerName,
  type ListenOptions,
  listenerKey,
  type OutgoingEvent,
} from "@intermodal/core/ports";
import type { CaseContext } from "../case.ts";
import { type Bus, deadLettersAt, filled, type Message, type Place } from "../delivery/place.ts";

/** The adapter's event bus; a case about one is skipped where there is none. */
export function eventBusOf(t: CaseContext, adapter: Adapter): EventBus {
  return adapter.eventBus ?? t.skip(`${adapter.name} has no event bus`);
}

export function event(message: string | Message): OutgoingEvent {
  return filled(message);
}

/** Options of a listener for events of type `probe`. */
export function probes(options: Partial<ListenOptions> = {}): ListenOptions {
  return { types: ["probe"], from: "new", concurrency: 10, ...options };
}

export function named(listener: string, service = "service"): ListenerName {
  return { service, listener };
}

/** Makes a listener's durable and goes away. */
export async function prepareListener(
  bus: EventBus,
  listener: ListenerName,
  options: ListenOptions = probes(),
): Promise<void> {
  const consumption = await bus.listen(listener, options, async () => ACK);
  await consumption.close();
}

const LISTENER = named("probe-listener");

/** A listener as a place. */
export const eventBus: Bus = {
  subject: "eventBus",
  prefix: "event-bus",
  async open(t) {
    const sender = await t.open();
    const bus = eventBusOf(t, sender);
    await prepareListener(bus, LISTENER);
    return {
      sender,
      capabilities: bus.capabilities,
      send: (messages, from = sender) => eventBusOf(t, from).publish(messages.map(event)),
      consume: (adapter, concurrency, handle) =>
        eventBusOf(t, adapter).listen(LISTENER, probes({ concurrency }), handle),
      dead: deadLettersAt(bus.deadLetters, listenerKey(LISTENER)),
    } satisfies Place;
  },
};

/** What a bus should tell of these counts: what it declares that it can't tell must not be told. */
export function told<Counts extends Partial<ListenerInspection>>({ capabilities }: EventBus, counts: Counts): Counts {
  const { countsInFlight, countsDelayed } = capabilities;
  return {
    ...counts,
    ...("inFlight" in counts && !countsInFlight && { inFlight: undefined }),
    ...("delayed" in counts && !countsDelayed && { delayed: undefined }),
  };
}
