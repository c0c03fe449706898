import type { ListenOptions } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import { type Durable, putDurable } from "./durables.ts";
import type { ListenerNames } from "./names.ts";
import type { Session } from "./session.ts";

/** The durable of a listener, made again where it was when somebody deleted it. */
export class ListenerDurable {
  readonly #session: Session;
  readonly #place: ListenerNames;
  readonly #options: ListenOptions;
  /** Everything up to here was handled, as far as was last seen, of the stream that was made then. */
  #handled: { readonly sequence: number; readonly streamCreated: string | undefined } | undefined;

  constructor(session: Session, place: ListenerNames, options: ListenOptions) {
    this.#session = session;
    this.#place = place;
    this.#options = options;
  }

  /** @param wasThere Whether this process listened before: then a missing one was deleted, and goes on where it was. */
  async ensure(wasThere: boolean): Promise<ConsumerInfo> {
    const { names, settings } = this.#session;
    const { stream, durable, target } = this.#place;
    const info = await putDurable(this.#session, stream, {
      durable,
      filters: [...new Set(this.#options.types.map((type) => names.event(type))), target],
      leaseMs: settings.leaseMs,
      start: this.#start(wasThere),
    });
    this.#note(info);
    return info;
  }

  /** How it stands now; undefined when it can't be told. */
  async look(): Promise<ConsumerInfo | undefined> {
    try {
      const info = await this.#session.api.consumerInfo(this.#place.stream, this.#place.durable);
      if (info !== undefined) this.#note(info);
      return info;
    } catch {
      return undefined;
    }
  }

  #start(wasThere: boolean): NonNullable<Durable["start"]> {
    if (!wasThere) return { deliver_policy: this.#options.from === "new" ? "new" : "all" };
    // Numbers of a stream that is gone say nothing: all of the new one came since.
    if (this.#handled === undefined || this.#handled.streamCreated !== this.#streamCreated)
      return { deliver_policy: "all" };
    return { deliver_policy: "by_start_sequence", opt_start_seq: this.#handled.sequence + 1 };
  }

  #note({ ack_floor }: ConsumerInfo): void {
    this.#handled = { sequence: ack_floor.stream_seq, streamCreated: this.#streamCreated };
  }

  get #streamCreated(): string | undefined {
    return this.#session.topology.events?.created;
  }
}
