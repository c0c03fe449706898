import { isIntermodalError, messageOf, sleep } from "@intermodal/core/ports";
import { CAP_AGE_MS, type KnownStream } from "./known-streams.ts";
import type { Session } from "./session.ts";
import { streamKey } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";
import { decodeText } from "./text.ts";

const ROUND_MS = 60_000;
/** A stream is removed so long after it has expired: nobody appends any more to what they take for the one that it was. */
const REMOVED_AFTER_MS = 10 * 60_000;
const PAGE = 200;
/** What is left after so many is for the next round. */
const MAX_PAGES = 50;
/** The cap is seen to whenever this share of it has been appended. */
const CAP_STEPS = 20;
/** So many more are kept at the most before those that append have to wait. */
const MAX_EXCESS = 5_000;

/** Removes what the cap takes and what has expired, beside the appends of this process. */
export class StreamJanitor {
  readonly #session: Session;
  readonly #log: StreamLog;
  #nextRoundAt: number;
  #busy = false;

  constructor(session: Session, log: StreamLog) {
    this.#session = session;
    this.#log = log;
    this.#nextRoundAt = session.clock.now() + ROUND_MS * Math.random();
  }

  /** Something was appended to the stream. Resolves once the cap has been seen to; never rejects. */
  async visit(stream: KnownStream): Promise<void> {
    this.#sweepNowAndThen();
    await this.#seeToCap(stream);
  }

  async #seeToCap(stream: KnownStream): Promise<void> {
    const { clock, settings } = this.#session;
    const { last, first, incarnation } = stream;
    const excess = last - first + 1 - settings.maxStreamEvents;
    if (excess < settings.maxStreamEvents / CAP_STEPS || incarnation === undefined) return;
    const waitMs = stream.capAt - clock.now();
    if (waitMs > 0 && excess < MAX_EXCESS) return;
    stream.capAt = Math.max(stream.capAt, clock.now()) + CAP_AGE_MS;
    // Whoever appends so fast waits until what comes first is old enough to go.
    if (waitMs > 0) await sleep(clock, waitMs);
    await this.#run(async () => {
      const sequence = last - settings.maxStreamEvents + 1;
      const before = new Date((await this.#session.serverNow("trim")) - CAP_AGE_MS);
      const kept = await this.#log.trim("trim", stream.key, {
        incarnation,
        place: stream.base + sequence,
        before,
      });
      if (kept?.incarnation === incarnation) stream.first = Math.max(stream.first, kept.from);
    });
  }

  #sweepNowAndThen(): void {
    const now = this.#session.clock.now();
    if (now < this.#nextRoundAt || this.#busy) return;
    this.#nextRoundAt = now + ROUND_MS * (0.5 + Math.random());
    this.#busy = true;
    void this.#run(async () => {
      await this.#removeExpired().finally(() => {
        this.#busy = false;
      });
    });
  }

  async #removeExpired(): Promise<void> {
    const what = "remove expired streams";
    const before = new Date((await this.#session.serverNow(what)) - REMOVED_AFTER_MS);
    for (let page = 0; page < MAX_PAGES; page++) {
      const outdated = await this.#log.outdated(what, before, PAGE);
      for (const stream of new Set(outdated.map((head) => head.stream))) {
        const key = streamKey(decodeText(stream));
        const last = await this.#log.last(what, key, "majority");
        if (last === undefined) await this.#log.removeTraces(what, key, before);
        else if (last.expires_at >= before) await this.#log.putOff(what, key, last);
        else await this.#log.removeStream(what, key, last, before);
      }
      if (outdated.length < PAGE) return;
    }
  }

  /** What was appended is stored, whatever becomes of this: what fails is done after a later append. */
  async #run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isIntermodalError(error, "CLOSED") || isIntermodalError(error, "UNAVAILABLE")) return;
      this.#session.logger.warn("mongo: cleaning up streams failed", { error: messageOf(error) });
    }
  }
}
