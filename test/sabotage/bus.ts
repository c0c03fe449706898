import {
  type Adapter,
  type Consumption,
  type DeadLetters,
  type DeliveryHandler,
  listenerKey,
  type OutgoingCommand,
  type OutgoingEvent,
} from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { override } from "./sabotage.ts";

export type BusName = "commandBus" | "eventBus";
export type Outgoing = OutgoingCommand | OutgoingEvent;
type Send = (messages: readonly Outgoing[]) => Promise<void>;

/** What both buses have in common, to be replaced. What is left out works as it should. */
export interface BusParts {
  send?(messages: readonly Outgoing[], send: Send): Promise<void>;
  handle?(handle: DeliveryHandler, place: string): DeliveryHandler;
  /** `consume` takes the handler and the concurrency. */
  consume?(
    consume: (handle: DeliveryHandler, concurrency: number) => Promise<Consumption>,
    handle: DeliveryHandler,
    concurrency: number,
    place: string,
  ): Promise<Consumption>;
  deadLetters?(original: DeadLetters): Partial<DeadLetters>;
}

/** An adapter one of whose buses is replaced in parts. */
export function withBus(adapter: MemoryAdapter, name: BusName, parts: BusParts): Adapter {
  const handled = (handle: DeliveryHandler, place: string) => parts.handle?.(handle, place) ?? handle;
  const sent = (messages: readonly Outgoing[], send: Send) => parts.send?.(messages, send) ?? send(messages);
  const { commandBus, eventBus } = adapter;
  if (name === "commandBus") {
    return override<Adapter>(adapter, {
      commandBus: override(commandBus, {
        send: (commands) => sent(commands, (messages) => commandBus.send(messages as readonly OutgoingCommand[])),
        work: (queue, { concurrency }, handle) => {
          const consume = (own: DeliveryHandler, slots: number) => commandBus.work(queue, { concurrency: slots }, own);
          const own = handled(handle, queue);
          return parts.consume?.(consume, own, concurrency, queue) ?? consume(own, concurrency);
        },
        deadLetters: override<DeadLetters>(commandBus.deadLetters, parts.deadLetters?.(commandBus.deadLetters) ?? {}),
      }),
    });
  }
  return override<Adapter>(adapter, {
    eventBus: override(eventBus, {
      publish: (events) => sent(events, (messages) => eventBus.publish(messages)),
      listen: (listener, options, handle) => {
        const consume = (own: DeliveryHandler, slots: number) =>
          eventBus.listen(listener, { ...options, concurrency: slots }, own);
        const place = listenerKey(listener);
        const own = handled(handle, place);
        return parts.consume?.(consume, own, options.concurrency, place) ?? consume(own, options.concurrency);
      },
      deadLetters: override<DeadLetters>(eventBus.deadLetters, parts.deadLetters?.(eventBus.deadLetters) ?? {}),
    }),
  });
}

/** Deliveries of ids that were changed on their way out come with their own id again. */
export function withoutSuffix(id: string): string {
  return id.replace(/#.*$/, "");
}
