import type { Channel, Options } from "amqplib";
import type { Names, Place } from "./names.ts";

/** Something that has to exist on the broker. Declaring it again changes nothing. */
export interface Declaration {
  /** Its name, or that of the main thing in it: the same for what is the same. */
  readonly key: string;
  /** The quorum queues among it. */
  readonly queues?: readonly string[] | undefined;
  readonly declare: (channel: Channel) => Promise<void>;
}

/** So high that no message reaches it: a quorum queue drops or moves what was delivered more often. What RabbitMQ 4 sets by itself is 20. */
const DELIVERY_LIMIT = 1_000_000_000;

/** How long a handler may take: what RabbitMQ sets by itself is 30 minutes. */
export const CONSUMER_TIMEOUT_MS = 7 * 86_400_000;

/** What versions before 3.12 give a handler, whatever is asked of them. */
export const OLD_CONSUMER_TIMEOUT_MS = 30 * 60_000;

/** How long what came due for a queue that is gone can be looked at. */
const UNROUTED_KEPT_MS = 7 * 86_400_000;

/** Should the process die between making and deleting it. */
const ANCHOR_EXPIRES_MS = 60_000;

/** What exists on the broker for one namespace, all of it durable; the same on every version. */
export class Topology {
  readonly names: Names;
  /** The exchanges. */
  readonly base: Declaration;
  readonly #places = new Map<string, Declaration>();
  readonly #rungs = new Map<number, Declaration>();

  constructor(names: Names) {
    this.names = names;
    this.base = {
      key: names.direct,
      queues: [names.unrouted],
      declare: async (channel) => {
        const { direct, events, delays, due, unrouted } = names;
        await exchange(channel, direct, "direct");
        await exchange(channel, events, "topic");
        await exchange(channel, delays, "topic");
        // What waited for a queue that is gone must go somewhere, or it would hold up what comes due behind it.
        await exchange(channel, due, "topic", { alternateExchange: unrouted });
        await exchange(channel, unrouted, "fanout");
        await queue(channel, unrouted, { "x-message-ttl": UNROUTED_KEPT_MS });
        await channel.bindQueue(unrouted, unrouted, "");
      },
    };
  }

  /** A place's queue, with that of its dead letters. */
  place(place: Place): Declaration {
    return found(this.#places, place.queue, () => ({
      key: place.queue,
      queues: [place.dead, place.queue],
      declare: async (channel) => {
        const { direct, due } = this.names;
        await queue(channel, place.dead, { "x-delivery-limit": DELIVERY_LIMIT });
        await channel.bindQueue(place.dead, direct, place.dead);
        await queue(channel, place.queue, {
          "x-delivery-limit": DELIVERY_LIMIT,
          "x-consumer-timeout": CONSUMER_TIMEOUT_MS,
          ...deadLettering(direct, place.dead),
        });
        await channel.bindQueue(place.queue, direct, place.queue);
        await channel.bindQueue(place.queue, due, `*.${place.queue}`);
      },
    }));
  }

  /** What brings a listener's events to its queue. Not kept: other replicas may unbind types. */
  bindings(place: Place, types: readonly string[]): Declaration {
    return {
      key: `bindings of ${place.queue}`,
      declare: async (channel) => {
        for (const type of types) await channel.bindQueue(place.queue, this.names.events, type);
      },
    };
  }

  /** The queue in which messages wait for at most `ms`, all places' together. */
  rung(ms: number): Declaration {
    return found(this.#rungs, ms, () => ({
      key: this.names.rung(ms),
      queues: [this.names.rung(ms)],
      declare: async (channel) => {
        const name = this.names.rung(ms);
        await queue(channel, name, { "x-message-ttl": ms, ...deadLettering(this.names.due) });
        await channel.bindQueue(name, this.names.delays, `${ms}.#`);
      },
    }));
  }
}

/**
 * Makes RabbitMQ remember queues that are new. It writes its list of quorum queues with a delay: one that was made within about a second before the server
 * was killed comes back empty, with everything lost that it had confirmed. Making another one has the list written; see the decision "A new queue is anchored".
 */
export async function anchor(channel: Channel): Promise<void> {
  const name = `intermodal.anchor.${crypto.randomUUID()}`;
  await queue(channel, name, { "x-expires": ANCHOR_EXPIRES_MS });
  await channel.deleteQueue(name);
}

/** What leaves a queue otherwise than by an acknowledgement goes there, and stays until it has arrived. */
function deadLettering(exchangeName: string, routingKey?: string): Record<string, unknown> {
  return {
    "x-dead-letter-exchange": exchangeName,
    ...(routingKey !== undefined && { "x-dead-letter-routing-key": routingKey }),
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
  };
}

function exchange(channel: Channel, name: string, type: string, options?: Options.AssertExchange): Promise<unknown> {
  return channel.assertExchange(name, type, { durable: true, ...options });
}

function queue(channel: Channel, name: string, args: Record<string, unknown>): Promise<unknown> {
  return channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum", ...args } });
}

function found<Key>(known: Map<Key, Declaration>, key: Key, make: () => Declaration): Declaration {
  let declaration = known.get(key);
  if (declaration === undefined) {
    declaration = make();
    known.set(key, declaration);
  }
  return declaration;
}
