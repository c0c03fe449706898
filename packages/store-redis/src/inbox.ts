import type { Inbox } from "@intermodal/core/ports";
import { inboxRelease } from "./lua/inbox-release.ts";
import { inboxReserve } from "./lua/inbox-reserve.ts";
import { encodeKey } from "./names.ts";
import type { Session } from "./session.ts";

/** A server counts in 64 bits, and adds this to its time. */
const LONGEST_MS = 2 ** 52;

/** A key for each message, which expires by itself. A node that reserves what it has reserved already gets it again: its answer was lost, or its first try came to nothing. */
export class RedisInbox implements Inbox {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** @throws `UNAVAILABLE`, `CLOSED`. */
  async reserve(
    listener: string,
    messageId: string,
    { leaseMs, node }: { readonly leaseMs: number; readonly node: string },
  ): Promise<"reserved" | "completed" | "busy"> {
    const args = [encodeKey(node), wholeMs(leaseMs)];
    const answer = await this.#session.script("reserve", inboxReserve, [this.#key(listener, messageId)], args);
    return answer as "reserved" | "completed" | "busy";
  }

  /** @throws `UNAVAILABLE`, `CLOSED`. */
  async complete(listener: string, messageId: string, { windowMs }: { readonly windowMs: number }): Promise<void> {
    const key = this.#key(listener, messageId);
    await this.#session.call("complete", (client) => client.set(key, "done", "PX", wholeMs(windowMs)));
  }

  /** @throws `UNAVAILABLE`, `CLOSED`. */
  async release(listener: string, messageId: string, { node }: { readonly node: string }): Promise<void> {
    await this.#session.script("release", inboxRelease, [this.#key(listener, messageId)], [encodeKey(node)]);
  }

  #key(listener: string, messageId: string): string {
    return this.#session.names.alone("inbox", listener, messageId);
  }
}

function wholeMs(ms: number): number {
  return Math.max(1, Math.min(Math.ceil(ms), LONGEST_MS));
}
