import { type Clock, IntermodalError, isIntermodalError, messageOf, sleep } from "@intermodal/core/ports";
import type { Channel, ConsumeMessage } from "amqplib";
import type { Client } from "./client.ts";
import { channelFailure, isLocked } from "./errors.ts";
import { countIn } from "./inspect.ts";
import { closeQuietly, type Link } from "./link.ts";
import type { Place } from "./names.ts";
import { MAX_PREFETCH } from "./subscription.ts";

/** How long another process may read the same dead letters. */
const LOCK_MS = 30_000;
const LOCK_PAUSE_MS = 50;
/** Without a message for this long, it is looked whether any is left. */
const IDLE_MS = 250;
/** How long the broker may take to put back what was read. */
const RETURN_MS = 5_000;
const RETURN_PAUSE_MS = 10;

/** Is shown a dead letter. Resolves to true where it is to be taken out for good. */
export type Visit = (message: ConsumeMessage) => boolean | Promise<boolean>;

/**
 * Shows all dead letters of a place, in the order in which the queue has them. Those not taken out go back into it. A queue shows a message to one
 * reader at a time, so only one reads at once, in this process and in all.
 * @returns how many were taken out.
 */
export function visitDeadLetters(client: Client, place: Place, visit: Visit): Promise<number> {
  const what = `the dead letters of ${place.what}`;
  return client.options.connections.reading.run(async () => {
    const link = await client.consuming(what);
    try {
      return await locked(client, link, place, () => new Reading(link, place, client.options.clock).run(visit));
    } catch (error) {
      throw channelFailure(what, error);
    }
  });
}

async function locked<T>(client: Client, link: Link, { what, lock }: Place, task: () => Promise<T>): Promise<T> {
  const { clock } = client.options;
  const deadline = clock.now() + LOCK_MS;
  while (!(await acquire(link, lock))) {
    if (clock.now() >= deadline)
      throw new IntermodalError(
        "UNAVAILABLE",
        `the dead letters of ${what} are being read by another process for more than ${LOCK_MS / 1_000} s`,
      );
    await sleep(clock, LOCK_PAUSE_MS);
  }
  try {
    return await task();
  } finally {
    // It goes with the connection too.
    await link.using((channel) => channel.deleteQueue(lock)).catch(() => {});
  }
}

async function acquire(link: Link, lock: string): Promise<boolean> {
  try {
    await link.using((channel) => channel.assertQueue(lock, { exclusive: true, durable: false }));
    return true;
  } catch (error) {
    if (isLocked(error)) return false;
    throw error;
  }
}

class Reading {
  readonly #link: Link;
  readonly #place: Place;
  readonly #clock: Clock;

  constructor(link: Link, place: Place, clock: Clock) {
    this.#link = link;
    this.#place = place;
    this.#clock = clock;
  }

  async run(visit: Visit): Promise<number> {
    const count = await countIn(this.#link, this.#place.dead);
    if (count === 0) return 0;
    const channel = await this.#link.channel();
    let [seen, left, taken] = [0, 0, 0];
    const show = async (message: ConsumeMessage) => {
      seen++;
      if (!(await visit(message))) return void left++;
      channel.ack(message);
      taken++;
    };
    try {
      await this.#showAll(channel, count, show);
      // Asked only for an answer: the acknowledgements have arrived before it.
      if (taken > 0) await channel.prefetch(1);
    } catch (error) {
      throw seen === left || isIntermodalError(error) ? error : this.#untold(error);
    } finally {
      await closeQuietly(channel);
      await this.#returned(seen - taken);
    }
    return taken;
  }

  /** Settles once all that were shown have been dealt with: each that is replayed has to be taken out, whatever became of the others. */
  async #showAll(channel: Channel, count: number, show: (message: ConsumeMessage) => Promise<void>): Promise<void> {
    const visits: Promise<void>[] = [];
    const watching = new AbortController();
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => {});
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) return ended.reject(new Error("the queue was deleted meanwhile"));
      // What is taken out makes room for what died meanwhile.
      if (visits.length === count || watching.signal.aborted) return;
      const visited = show(message);
      // It may fail long before anybody waits for it.
      visited.catch(() => {});
      visits.push(visited);
      if (visits.length === count) ended.resolve();
    };
    channel.on("close", () => ended.reject(new Error("the channel was closed meanwhile")));
    try {
      for (let rest = count; rest > 0; rest -= MAX_PREFETCH) {
        await channel.prefetch(Math.min(rest, MAX_PREFETCH));
        await channel.consume(this.#place.dead, onMessage);
      }
      void this.#endWhenEmpty(() => visits.length, ended.resolve, watching.signal);
      await ended.promise;
    } finally {
      watching.abort();
      await Promise.allSettled(visits);
    }
    await Promise.all(visits);
  }

  /** The count may have been of a moment ago. */
  async #endWhenEmpty(seen: () => number, end: () => void, signal: AbortSignal): Promise<void> {
    for (let before = -1; !signal.aborted; before = seen()) {
      await sleep(this.#clock, IDLE_MS, signal);
      if (seen() !== before) continue;
      const left = await countIn(this.#link, this.#place.dead).catch(() => 1);
      if (left === 0 && seen() === before) return end();
    }
  }

  /** Waits until the next reader would find what this one saw. */
  async #returned(count: number): Promise<void> {
    const deadline = this.#clock.now() + RETURN_MS;
    while (!this.#link.isLost && this.#clock.now() < deadline) {
      if ((await countIn(this.#link, this.#place.dead).catch(() => 0)) >= count) return;
      await sleep(this.#clock, RETURN_PAUSE_MS);
    }
  }

  /** What was to be taken out may be gone, or not: its acknowledgement was lost, or the answer to it. */
  #untold(error: unknown): IntermodalError {
    const message = `the dead letters of ${this.#place.what}: ${messageOf(error)}; what was to be taken out may still be there, and what was sent again comes twice if it is replayed once more`;
    return new IntermodalError("UNAVAILABLE", message, { cause: error, unknown: true });
  }
}
