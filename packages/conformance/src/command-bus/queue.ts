import { ACK, type Adapter, type CommandBus, type OutgoingCommand } from "@intermodal/core/ports";
import type { CaseContext } from "../case.ts";
import { type Bus, deadLettersAt, filled, type Message, type Place } from "../delivery/place.ts";

/** The adapter's command bus; a case about one is skipped where there is none. */
export function commandBusOf(t: CaseContext, adapter: Adapter): CommandBus {
  return adapter.commandBus ?? t.skip(`${adapter.name} has no command bus`);
}

export function command(queue: string, message: string | Message, delayMs?: number): OutgoingCommand {
  return { queue, ...filled(message), delayMs };
}

/** Makes a queue known where a send to an unknown one is refused. */
export async function prepareQueue(bus: CommandBus, queue: string): Promise<void> {
  if (bus.capabilities.unroutable === "wait") return;
  const consumption = await bus.work(queue, { concurrency: 1 }, async () => ACK);
  await consumption.close();
}

const QUEUE = "work";

/** A queue as a place. */
export const commandBus: Bus = {
  subject: "commandBus",
  prefix: "command-bus",
  async open(t) {
    const sender = await t.open();
    const bus = commandBusOf(t, sender);
    await prepareQueue(bus, QUEUE);
    return {
      sender,
      capabilities: bus.capabilities,
      send: (messages, from = sender) => commandBusOf(t, from).send(messages.map((message) => command(QUEUE, message))),
      consume: (adapter, concurrency, handle) => commandBusOf(t, adapter).work(QUEUE, { concurrency }, handle),
      dead: deadLettersAt(bus.deadLetters, QUEUE),
    } satisfies Place;
  },
};
