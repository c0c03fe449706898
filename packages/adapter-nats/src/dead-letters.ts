import { Buffer } from "node:buffer";
import type { DeadLetter, DeadLetters, Page, PageOptions } from "@intermodal/core/ports";
import { type StoredMessage, told } from "./api.ts";
import { parseHeaderBlock } from "./header-block.ts";
import { readHeaders } from "./headers.ts";
import type { PlaceNames } from "./names.ts";
import type { Session } from "./session.ts";

/** Dead letters stand in TASKS under a subject of their place; their ids are their sequences. */
export class NatsDeadLetters implements DeadLetters {
  readonly #session: Session;
  readonly #placeOf: (place: string) => PlaceNames;

  constructor(session: Session, placeOf: (place: string) => PlaceNames) {
    this.#session = session;
    this.#placeOf = placeOf;
  }

  async list(place: string, { limit = 100, cursor }: PageOptions = {}): Promise<Page<DeadLetter>> {
    const what = `deadLetters.list of ${place}`;
    await this.#session.ready(what);
    const { api, names } = this.#session;
    const { dead } = this.#placeOf(place);
    const items: DeadLetter[] = [];
    for (let from = Number(cursor ?? 0) + 1; ; ) {
      const message = await told(what, api.nextMessage(names.tasks, dead, from));
      if (message === undefined) return { items };
      if (items.length >= limit) return { items, next: String(from - 1) };
      items.push(letterOf(message));
      from = message.seq + 1;
    }
  }

  async replay(place: string, deadLetterIds: readonly string[]): Promise<number> {
    const what = `deadLetters.replay of ${place}`;
    await this.#session.ready(what);
    const { target, stream } = this.#placeOf(place);
    const { publisher } = this.#session;
    return this.#each(what, place, deadLetterIds, async (message) => {
      const { carried, body } = contentsOf(message);
      const { id, type, sentAt } = carried;
      await publisher.publish({
        what: `${what}: message ${id}`,
        stream,
        subject: target,
        // With its time, since a stream that was made anew counts from 1 again.
        messageId: `~r.${message.seq}.${message.time}`,
        carried: { id, type, sentAt, tries: 0 },
        body,
      });
    });
  }

  async discard(place: string, deadLetterIds: readonly string[]): Promise<number> {
    const what = `deadLetters.discard of ${place}`;
    await this.#session.ready(what);
    return this.#each(what, place, deadLetterIds, async () => {});
  }

  /** Removes each that is there after `before` has been done with it. */
  async #each(
    what: string,
    place: string,
    deadLetterIds: readonly string[],
    before: (message: StoredMessage) => Promise<void>,
  ): Promise<number> {
    const { api, names } = this.#session;
    const { dead } = this.#placeOf(place);
    let count = 0;
    for (const id of new Set(deadLetterIds)) {
      if (!/^[1-9]\d{0,15}$/.test(id)) continue;
      const message = await told(what, api.message(names.tasks, Number(id)));
      if (message?.subject !== dead) continue;
      await before(message);
      if (await told(what, api.deleteMessage(names.tasks, message.seq))) count++;
    }
    return count;
  }
}

function contentsOf({ hdrs, data }: StoredMessage) {
  const { carried } = readHeaders(hdrs === undefined ? undefined : parseHeaderBlock(Buffer.from(hdrs, "base64")), {
    id: "",
    type: "",
  });
  return { carried, body: Uint8Array.from(Buffer.from(data ?? "", "base64")) };
}

function letterOf(message: StoredMessage): DeadLetter {
  const { carried, body } = contentsOf(message);
  const { id, type, reason = "", attempts = 0 } = carried;
  return { deadLetterId: String(message.seq), id, type, body, reason, attempts, deadAt: Date.parse(message.time) };
}
