import { ClockHand } from "./clock-hand.ts";

/** Entries looked at for expiry per request; a message makes two requests and one entry. */
const EXPIRY_STEPS = 2;

/** Beyond this many, the ones noted longest ago go early. */
const MAX_ENTRIES = 500_000;

interface InboxEntry {
  readonly key: string;
  /** Who works on it; absent once it was completed. */
  readonly node: string | undefined;
  /** When the reservation or the memory of the completion ends. */
  readonly until: number;
}

/** What listeners have reserved and completed. */
export class InboxTable {
  readonly #entries = new Map<string, InboxEntry>();
  readonly #hand = new ClockHand(this.#entries);
  readonly #maxEntries: number;

  constructor(maxEntries = MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  reserve(
    listener: string,
    messageId: string,
    ask: { readonly node: string; readonly leaseMs: number },
    now: number,
  ): "reserved" | "completed" | "busy" {
    const key = keyOf(listener, messageId);
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.until > now) {
      if (entry.node === undefined) return "completed";
      if (entry.node !== ask.node) return "busy";
    }
    this.#put({ key, node: ask.node, until: now + ask.leaseMs }, now);
    return "reserved";
  }

  complete(listener: string, messageId: string, windowMs: number, now: number): void {
    this.#put({ key: keyOf(listener, messageId), node: undefined, until: now + windowMs }, now);
  }

  release(listener: string, messageId: string, node: string): void {
    const key = keyOf(listener, messageId);
    if (this.#entries.get(key)?.node === node) this.#entries.delete(key);
  }

  #put(entry: InboxEntry, now: number): void {
    // Written anew at the end: the order of the map is the order of the latest notes.
    this.#entries.delete(entry.key);
    this.#entries.set(entry.key, entry);
    this.#hand.turn(EXPIRY_STEPS, ({ key, until }) => {
      if (until <= now) this.#entries.delete(key);
    });
    if (this.#entries.size <= this.#maxEntries) return;
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}

/** Injective, whatever the two contain. */
function keyOf(listener: string, messageId: string): string {
  return `${listener.length}:${listener}${messageId}`;
}
