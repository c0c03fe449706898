import { encodeName, IntermodalError, type ListenerName, listenerKey } from "@intermodal/core/ports";

/** AMQP's limit for the name of a queue or exchange and for a routing key, less what a delay puts before the key. */
const MAX_NAME = 240;

/** Where messages wait for the workers of one queue, or for the replicas of one listener. */
export interface Place {
  /** The queue, or the listener's key. */
  readonly name: string;
  /** In errors and logs. */
  readonly what: string;
  /** The queue that is consumed; also its routing key in the namespace's exchanges. */
  readonly queue: string;
  /** The queue of its dead letters. */
  readonly dead: string;
  /** A queue that whoever reads its dead letters has for itself meanwhile. */
  readonly lock: string;
}

/**
 * What everything of a namespace is called on the broker: `intermodal.<namespace>.<kind>…`. Dots in a namespace or a service are encoded, so that
 * no two names meet.
 */
export class Names {
  /** Direct: commands, retries, replays and dead letters, by the name of the queue they go to. */
  readonly direct: string;
  /** Topic: events, by their type. */
  readonly events: string;
  /** Topic: what has to wait, by `<rung>.<queue>`. */
  readonly delays: string;
  /** Topic: what has waited long enough, still by `<rung>.<queue>`. */
  readonly due: string;
  /** An exchange and its queue: what came due for a queue that is gone. */
  readonly unrouted: string;
  readonly #prefix: string;

  constructor(namespace: string) {
    this.#prefix = `intermodal.${encodeName(namespace)}`;
    this.direct = checked(`${this.#prefix}.direct`);
    this.events = checked(`${this.#prefix}.events`);
    this.delays = checked(`${this.#prefix}.delays`);
    this.due = checked(`${this.#prefix}.due`);
    this.unrouted = checked(`${this.#prefix}.unrouted`);
  }

  queue(name: string): Place {
    return this.#place("queue", name, name);
  }

  listener(listener: ListenerName): Place {
    const key = listenerKey(listener);
    return this.#place("listener", key, `${encodeName(listener.service)}.${listener.listener}`);
  }

  /** The queue in which messages wait for `ms` at most. */
  rung(ms: number): string {
    return checked(`${this.#prefix}.delay.${ms}`);
  }

  #place(kind: string, name: string, encoded: string): Place {
    return {
      name,
      what: `${kind} "${name}"`,
      queue: checked(`${this.#prefix}.${kind}.${encoded}`),
      dead: checked(`${this.#prefix}.${kind}-dead.${encoded}`),
      lock: checked(`${this.#prefix}.${kind}-lock.${encoded}`),
    };
  }
}

function checked(name: string): string {
  if (name.length <= MAX_NAME) return name;
  throw new IntermodalError(
    "INVALID_NAME",
    `${name} would be too long a name for RabbitMQ: shorten the namespace, app, queue or listener, so that together they have at most ${MAX_NAME} characters`,
  );
}
