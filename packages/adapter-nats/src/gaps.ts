import { Buffer } from "node:buffer";
import { isIntermodalError, messageOf } from "@intermodal/core/ports";
import type { ConsumerInfo } from "@nats-io/jetstream";
import type { StoredMessage } from "./api.ts";
import type { ListenerNames } from "./names.ts";
import type { Session } from "./session.ts";

/**
 * Finds out what was trimmed from the stream before a listener could get it: the positions between the last one it was given and the first one that is left.
 * The server knows positions, not types, so others' events may be among them.
 */
export class GapWatch {
  readonly #session: Session;
  readonly #place: ListenerNames;
  readonly #what: string;
  readonly #onGap: (missed: number) => void;
  /** Up to here there was nothing that this listener had not been given, though the server may not count others' events as passed yet. */
  #passed = 0;
  /** Where the stream ended at the last look. */
  #lastSeen = 0;
  /** When the stream was made that these count. */
  #created: string | undefined;
  #looking: Promise<void> | undefined;

  constructor(session: Session, place: ListenerNames, what: string, onGap: (missed: number) => void) {
    this.#session = session;
    this.#place = place;
    this.#what = what;
    this.#onGap = onGap;
  }

  /** Tells a gap that nobody has told yet. Never rejects. */
  look(info: ConsumerInfo): Promise<void> {
    this.#looking ??= this.#look(info)
      .catch((error: unknown) => {
        if (!this.#session.isClosed)
          this.#session.logger.warn(`${this.#what}: could not look for trimmed events`, { error: messageOf(error) });
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look({ delivered, num_pending }: ConsumerInfo): Promise<void> {
    const { api, names } = this.#session;
    const stream = await api.streamInfo(names.events);
    if (stream === undefined) return;
    if (stream.created !== this.#created) [this.#created, this.#passed, this.#lastSeen] = [stream.created, 0, 0];
    const { first_seq, last_seq } = stream.state;
    const trimmedTo = first_seq - 1;
    const known = Math.max(delivered.stream_seq, this.#passed);
    if (trimmedTo > known) await this.#tell(known, trimmedTo, stream.created);
    // Nothing waited now, so nothing up to where the stream ended at the last look.
    if (num_pending === 0) this.#passed = Math.max(this.#passed, this.#lastSeen);
    this.#lastSeen = last_seq;
  }

  /** The replica that stores the mark tells it. */
  async #tell(known: number, trimmedTo: number, created: string): Promise<void> {
    const { api, names, publisher, logger } = this.#session;
    const { mark } = this.#place;
    const last = await api.lastMessage(names.tasks, mark);
    const told = last === undefined ? 0 : toldBy(last, created);
    const missed = trimmedTo - Math.max(known, told);
    if (missed <= 0) return;
    try {
      await publisher.publish({
        what: this.#what,
        stream: names.tasks,
        subject: mark,
        messageId: `~g.${this.#place.durable}.${created}.${trimmedTo}`,
        expectedLast: last?.seq ?? 0,
        carried: { id: "gap", type: "", tries: 0 },
        body: Buffer.from(`${trimmedTo} ${created}`),
      });
    } catch (error) {
      if (isIntermodalError(error, "CONFLICT")) return;
      throw error;
    }
    if (last !== undefined) await api.deleteMessage(names.tasks, last.seq);
    try {
      this.#onGap(missed);
    } catch (error) {
      logger.error(`${this.#what}: onGap failed`, { error: messageOf(error) });
    }
  }
}

/** Up to where a mark says that gaps were told, of the stream that was made then. The first marks do not say of which. */
function toldBy({ data }: StoredMessage, created: string): number {
  const [position, ofStream] = Buffer.from(data ?? "", "base64")
    .toString()
    .split(" ");
  return ofStream === undefined || ofStream === created ? Number(position) : 0;
}
