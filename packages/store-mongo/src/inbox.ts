import type { Inbox } from "@intermodal/core/ports";
import type { Session } from "./session.ts";
import { encodeText } from "./text.ts";
import type { CollectionSpec } from "./topology.ts";
import { upsert } from "./upsert.ts";

interface InboxDocument {
  readonly _id: string;
  readonly listener: string;
  readonly message_id: string;
  /** Who works on it, or worked on it last. */
  readonly node?: string;
  readonly completed: boolean;
  /** When the reservation or the memory of the completion ends. */
  readonly until: Date;
}

export const INBOX: CollectionSpec = {
  part: "inbox",
  indexes: [{ name: "until", key: { until: 1 }, expireAfterSeconds: 0 }],
};

/** What listeners have reserved and completed. A node that reserves what it has reserved already gets it again: its answer was lost, or its first try came to nothing. */
export class MongoInbox implements Inbox {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async reserve(
    listener: string,
    messageId: string,
    { leaseMs, node }: { readonly leaseMs: number; readonly node: string },
  ): Promise<"reserved" | "completed" | "busy"> {
    const mine = { $literal: encodeText(node) };
    // An expired one is as good as none: the server removes it within minutes.
    const isFree = {
      $or: [{ $not: [{ $gt: ["$until", "$$NOW"] }] }, { $and: [{ $not: ["$completed"] }, { $eq: ["$node", mine] }] }],
    };
    const set = {
      ...names(listener, messageId),
      node: { $cond: [isFree, mine, "$node"] },
      completed: { $cond: [isFree, false, "$completed"] },
      until: { $cond: [isFree, { $add: ["$$NOW", leaseMs] }, "$until"] },
    };
    const entry = await this.#put("reserve", keyOf(listener, messageId), set);
    if (entry.completed) return "completed";
    return entry.node === encodeText(node) ? "reserved" : "busy";
  }

  async complete(listener: string, messageId: string, { windowMs }: { readonly windowMs: number }): Promise<void> {
    await this.#put("complete", keyOf(listener, messageId), {
      ...names(listener, messageId),
      completed: true,
      until: { $add: ["$$NOW", windowMs] },
    });
  }

  async release(listener: string, messageId: string, { node }: { readonly node: string }): Promise<void> {
    const filter = {
      _id: { $eq: keyOf(listener, messageId) },
      completed: { $eq: false },
      node: { $eq: encodeText(node) },
    };
    await this.#session.call<InboxDocument, unknown>("release", INBOX, (inbox) => inbox.deleteOne(filter));
  }

  /** One atomic step, by the server's clock. */
  #put(what: string, id: string, set: object): Promise<InboxDocument> {
    return this.#session.call<InboxDocument, InboxDocument>(what, INBOX, (inbox) =>
      upsert(inbox, id, set, this.#session.clock),
    );
  }
}

function names(listener: string, messageId: string): object {
  return { listener: { $literal: encodeText(listener) }, message_id: { $literal: encodeText(messageId) } };
}

/** Injective, whatever the two contain. */
function keyOf(listener: string, messageId: string): string {
  return encodeText(`${listener.length}:${listener}${messageId}`);
}
