import { IntermodalError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { OutgoingCommand } from "../ports/command-bus.ts";
import type { OutgoingEvent } from "../ports/event-bus.ts";
import { Bodies } from "./bodies.ts";
import { EventLog } from "./event-log.ts";
import { Fifo } from "./fifo.ts";
import type { MemoryLimits } from "./limits.ts";
import { MessageQueue } from "./message-queue.ts";
import { RecentIds } from "./recent-ids.ts";
import { StoredMessage } from "./stored-message.ts";

/** How long a transport id is recognised. */
export const DEDUPE_WINDOW_MS = 120_000;

/** What went wrong with each item of a batch; absent when nothing did. */
export type Failures = readonly (IntermodalError | undefined)[] | undefined;

interface CommandQueue {
  readonly queue: MessageQueue;
  readonly fresh: Fifo<StoredMessage>;
  readonly recent: RecentIds;
}

/** The server's side of both buses: queues, listeners and what they hold, by namespace. Each call is one step. */
export class Broker {
  readonly #clock: Clock;
  readonly #limits: MemoryLimits;
  readonly #namespaces = new Map<string, BrokerNamespace>();

  constructor(clock: Clock, limits: MemoryLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  namespace(name: string): BrokerNamespace {
    let namespace = this.#namespaces.get(name);
    if (namespace === undefined) {
      namespace = new BrokerNamespace(this.#clock, this.#limits);
      this.#namespaces.set(name, namespace);
    }
    return namespace;
  }

  /** Removes all consumers of a queue behind their clients' backs. Messages stay. */
  deleteConsumer(namespace: string, queue: string): void {
    this.namespace(namespace).findQueue(queue)?.removeConsumers();
  }

  /** Trims every event published so far, as retention would. */
  trimEvents(namespace: string): void {
    this.namespace(namespace).events.trim();
  }
}

export class BrokerNamespace {
  readonly events: EventLog;
  readonly #bodies = new Bodies();
  readonly #clock: Clock;
  readonly #limits: MemoryLimits;
  readonly #queues = new Map<string, CommandQueue>();

  constructor(clock: Clock, limits: MemoryLimits) {
    this.#clock = clock;
    this.#limits = limits;
    const { leaseMs, maxEvents, maxDeadLetters } = limits;
    this.events = new EventLog({ clock, leaseMs, maxEvents, maxDeadLetters, dedupeWindowMs: DEDUPE_WINDOW_MS });
  }

  /** A queue, made at its first use. */
  queue(name: string): MessageQueue {
    return this.#commandQueue(name).queue;
  }

  findQueue(name: string): MessageQueue | undefined {
    return this.#queues.get(name)?.queue;
  }

  /** Takes every command that it can. */
  send(commands: readonly OutgoingCommand[]): Failures {
    const now = this.#clock.now();
    const touched = new Set<MessageQueue>();
    let failures: (IntermodalError | undefined)[] | undefined;
    commands.forEach((command, index) => {
      const place = this.#commandQueue(command.queue);
      const failure = this.#refusal(command) ?? this.#fullness(command.queue, place.queue);
      if (failure !== undefined) {
        failures ??= new Array(commands.length).fill(undefined);
        failures[index] = failure;
        return;
      }
      if (place.recent.seen(command.id, now)) return;
      const message = new StoredMessage(command.id, command.type, this.#bodies.copy(command.body), now);
      if (command.delayMs !== undefined && command.delayMs > 0) place.queue.delay(message, command.delayMs);
      else place.fresh.push(message);
      touched.add(place.queue);
    });
    for (const queue of touched) queue.pump();
    return failures;
  }

  /** Keeps every event that it can. */
  publish(events: readonly OutgoingEvent[]): Failures {
    const now = this.#clock.now();
    const types = new Set<string>();
    let failures: (IntermodalError | undefined)[] | undefined;
    events.forEach((event, index) => {
      const failure = this.#refusal(event);
      if (failure !== undefined) {
        failures ??= new Array(events.length).fill(undefined);
        failures[index] = failure;
        return;
      }
      this.events.add(event, now);
      types.add(event.type);
    });
    this.events.deliver(types);
    return failures;
  }

  #commandQueue(name: string): CommandQueue {
    let place = this.#queues.get(name);
    if (place === undefined) {
      const { leaseMs, maxDeadLetters } = this.#limits;
      const fresh = new Fifo<StoredMessage>();
      const maxWaitingAgain = Number.POSITIVE_INFINITY;
      const queue = new MessageQueue({ clock: this.#clock, source: fresh, leaseMs, maxDeadLetters, maxWaitingAgain });
      place = { queue, fresh, recent: new RecentIds(DEDUPE_WINDOW_MS) };
      this.#queues.set(name, place);
    }
    return place;
  }

  #refusal({ type, body }: { readonly type: string; readonly body: Uint8Array }): IntermodalError | undefined {
    const { maxPayloadBytes } = this.#limits;
    if (body.byteLength <= maxPayloadBytes) return undefined;
    const message = `a message of type ${type} has ${body.byteLength} bytes; the memory broker takes ${maxPayloadBytes}: send a reference to the data instead`;
    return new IntermodalError("PAYLOAD_TOO_LARGE", message);
  }

  #fullness(name: string, queue: MessageQueue): IntermodalError | undefined {
    const { maxCommands } = this.#limits;
    if (queue.waiting < maxCommands) return undefined;
    return new IntermodalError(
      "UNAVAILABLE",
      `queue ${name} is full: ${maxCommands} commands wait in it; start workers for it, or try again later`,
    );
  }
}
