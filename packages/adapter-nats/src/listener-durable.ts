import type { ListenOptions } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import { putDurable, type Start } from "./durables.ts";
import type { ListenerNames } from "./names.ts";
import type { Session } from "./session.ts";

/** The durable of a listener, made again where it was when somebody deleted it. */
export class ListenerDurable {
  readonly #session: Session;
  readonly #place: ListenerNames;
  readonly #options: ListenOptions;
  /** Everything up to here was handled, as far as was last seen, by the durable and of the stream that were made then. */
  #handled: { readonly sequence: number; readonly created: string; readonly ofStream: string | undefined } | undefined;

  constructor(session: Session, place: ListenerNames, options: ListenOptions) {
    this.#session = session;
    this.#place = place;
    this.#options = options;
  }

  /** @param wasThere Whether this process listened before: then a missing one was deleted, and goes on where it was. */
  async ensure(wasThere: boolean): Promise<ConsumerInfo> {
    const { names, settings } = this.#session;
    const { stream, durable, target } = this.#place;
    // Asked first: if another one takes its place meanwhile, the numbers of that count for nothing, which only doubles. The other way round it would lose.
    const ofStream = await this.#streamCreated();
    const info = await putDurable(this.#session, stream, {
      durable,
      filters: [...new Set(this.#options.types.map((type) => names.event(type))), target],
      leaseMs: settings.leaseMs,
      start: () => this.#start(wasThere),
      asItIs: wasThere,
    });
    this.#handled = { sequence: info.ack_floor.stream_seq, created: info.created, ofStream };
    return info;
  }

  /** It was looked at. */
  note({ created, ack_floor }: ConsumerInfo): void {
    // Of another one it is not known which stream it counts.
    if (this.#handled?.created === created) this.#handled = { ...this.#handled, sequence: ack_floor.stream_seq };
  }

  async #start(wasThere: boolean): Promise<Start> {
    if (!wasThere) return { deliver_policy: this.#options.from === "new" ? "new" : "all" };
    // Numbers of a stream that is gone say nothing: all of the new one came since. What is known of the topology may be of the old one.
    if (this.#handled === undefined || this.#handled.ofStream !== (await this.#streamCreated()))
      return { deliver_policy: "all" };
    return { deliver_policy: "by_start_sequence", opt_start_seq: this.#handled.sequence + 1 };
  }

  async #streamCreated(): Promise<string | undefined> {
    return (await this.#session.api.streamInfo(this.#place.stream))?.created;
  }
}
