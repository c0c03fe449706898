import { randomBytes } from "node:crypto";
import { eventForgotten, invalidCursor, type LogPage, streamEnded } from "@intermodal/core/adapter";
import type { JsonValue, NewRunEvent, StoredRunEvent } from "@intermodal/core/ports";
import { streamAppend } from "./lua/stream-append.ts";
import { streamRead } from "./lua/stream-read.ts";
import { encodeKey } from "./names.ts";
import type { Session } from "./session.ts";

/** Events for one stream; its end, where a `finishTtlMs` is given. */
export interface StreamWrite {
  readonly streamId: string;
  readonly events: readonly NewRunEvent[];
  readonly finishTtlMs?: number | undefined;
}

/** An event as it stands in the log. */
interface Entry {
  readonly timestamp: number;
  readonly source: string;
  readonly event: string;
  readonly data: JsonValue;
}

/** A server counts in 64 bits, and adds this to its time. */
const LONGEST_MS = 2 ** 52;
const LONGEST_PAGE = 2 ** 31;

/** The streams of a namespace on the server. */
export class StreamLog {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * One atomic step.
   * @returns the sequences; none for a finish.
   * @throws `STREAM_ENDED`, `CONFLICT`; as `Session.call`.
   */
  async write({ streamId, events, finishTtlMs }: StreamWrite): Promise<readonly number[]> {
    if (events.length === 0) return [];
    const { settings, names } = this.#session;
    const { log, meta, channel } = names.stream(streamId);
    const ttlMs = Math.min(Math.ceil(finishTtlMs ?? settings.streamSafetyTtlMs), LONGEST_MS);
    const args: (string | number)[] = [settings.maxStreamEvents, ttlMs, channel, randomBytes(9).toString("base64url")];
    args.push(finishTtlMs === undefined ? "" : "1");
    for (const { writer, n, timestamp, source, event, data } of events)
      args.push(encodeKey(writer), n, JSON.stringify({ timestamp, source, event, data } satisfies Entry));
    const what = finishTtlMs === undefined ? "append" : "finish";
    const [outcome, ...sequences] = (await this.#session.script(what, streamAppend, [log, meta], args)) as number[];
    if (outcome === 1) throw streamEnded(streamId);
    if (outcome === 2) throw eventForgotten(events[sequences[0] ?? 0] as NewRunEvent);
    return sequences;
  }

  /** @param maxBytes Of the events' JSON; absent: any. @throws `CURSOR_INVALID`; as `Session.call`. */
  async read(streamId: string, after: number, limit: number, maxBytes = 0): Promise<LogPage> {
    this.#session.assertOpen("read");
    const isCursor = Number.isSafeInteger(after) && after >= 0;
    const { log, meta } = this.#session.names.stream(streamId);
    const most = Math.max(0, Math.min(Math.floor(limit), LONGEST_PAGE));
    const args = [isCursor ? after : 0, isCursor ? most : 0, maxBytes];
    const answer = (await this.#session.script("read", streamRead, [log, meta], args)) as string[];
    const last = Number(answer[0]);
    if (!isCursor || after > last) throw invalidCursor(streamId, after, last);
    const events: StoredRunEvent[] = [];
    let bytes = 0;
    for (let at = 3; at < answer.length; at += 2) {
      const [id, json] = [answer[at] as string, answer[at + 1] as string];
      const { timestamp, source, event, data } = JSON.parse(json) as Entry;
      events.push({ streamId, sequence: Number.parseInt(id, 10), timestamp, source, event, data });
      bytes += json.length;
    }
    const gone = (events[0]?.sequence ?? last + 1) - 1;
    return {
      events,
      ...(gone > after && most > 0 && { gap: { from: after + 1, to: gone } }),
      last,
      ended: answer[1] === "1",
      incarnation: answer[2] || undefined,
      bytes,
    };
  }
}
