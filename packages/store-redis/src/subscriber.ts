import { type Clock, isIntermodalError, messageOf, sleep } from "@intermodal/core/ports";
import type { Redis } from "ioredis";
import { isReply } from "./errors.ts";
import { duplicate, isBehind, type Link, type Linked, type LinkOptions } from "./link.ts";

/** Told of what is published on a channel. */
export interface ChannelListener {
  onMessage(payload: string): void;
  /** Messages may have been missed: the subscription stands now, and did not before. */
  onGap(): void;
}

/** A subscription that is asked for; `confirmed` once the server has it on the connection that stands. */
class Channel {
  readonly listeners = new Set<ChannelListener>();
  confirmed = false;
}

const HEARTBEAT_MS = 2_500;
/** After so long without a sign of life the connection is dead, whatever the machine says. */
const SILENCE_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
const AT_ONCE = 500;

/**
 * One connection for all subscriptions of a process, watched by a heartbeat, and replaced by another one when it ends, falls silent, or is to a server that commands no
 * longer go to.
 */
export class Subscriber {
  readonly #connection: Linked;
  readonly #clock: Clock;
  readonly #options: LinkOptions;
  readonly #channels = new Map<string, Channel>();
  #client: Redis | undefined;
  /** What the server answered to a subscription, in place of doing it. */
  #refusal: unknown;
  #running = false;

  constructor(connection: Linked, options: LinkOptions) {
    this.#connection = connection;
    this.#clock = options.clock;
    this.#options = options;
  }

  /** Listens to a channel, over every outage. @returns stops it. */
  add(name: string, listener: ChannelListener): () => void {
    const channel = this.#channels.get(name) ?? new Channel();
    // The same object may listen for two reasons, and stop for one.
    const own: ChannelListener = { onMessage: (payload) => listener.onMessage(payload), onGap: () => listener.onGap() };
    channel.listeners.add(own);
    if (!this.#channels.has(name)) {
      this.#channels.set(name, channel);
      if (this.#client !== undefined) void this.#subscribe(this.#client, [name]);
      else if (!this.#running) void this.#run();
    } else if (channel.confirmed) {
      queueMicrotask(() => channel.listeners.has(own) && own.onGap());
    }
    return () => {
      if (!channel.listeners.delete(own) || channel.listeners.size > 0) return;
      this.#channels.delete(name);
      // A failure ends the connection, and the next one does not know the channel.
      this.#client?.unsubscribe(name).catch(() => {});
    };
  }

  async #run(): Promise<void> {
    const { closing } = this.#connection;
    this.#running = true;
    let failures = 0;
    while (!closing.aborted) {
      try {
        await this.#serve();
        failures = 0;
      } catch (error) {
        if (failures++ === 0) this.#tell(error);
      }
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await sleep(this.#clock, pauseMs * (0.5 + Math.random()), closing);
    }
  }

  /** Of an outage, the connection for commands tells; of being closed, nobody needs to be told. */
  #tell(error: unknown): void {
    if (this.#connection.closing.aborted || isIntermodalError(error, "UNAVAILABLE")) return;
    this.#options.logger.warn("redis: no subscriptions; followers look for themselves meanwhile", {
      error: messageOf(error),
    });
  }

  /** One connection's life. */
  async #serve(): Promise<void> {
    const link = await this.#connection.ready("subscribe");
    const client = await duplicate(link, `${this.#options.name}:subscriptions`, SILENCE_MS, this.#clock);
    const ended = Promise.withResolvers<void>();
    const { closing } = this.#connection;
    const stop = () => client.disconnect();
    try {
      client.once("end", () => ended.resolve());
      client.on("message", (name: string, payload: string) => this.#onMessage(name, payload));
      closing.addEventListener("abort", stop, { once: true });
      if (closing.aborted || client.status !== "ready") return;
      this.#client = client;
      this.#refusal = undefined;
      const names = [...this.#channels.keys()];
      for (let at = 0; at < names.length; at += AT_ONCE) void this.#subscribe(client, names.slice(at, at + AT_ONCE));
      this.#beat(client, link);
      await ended.promise;
      if (this.#refusal !== undefined) throw this.#refusal;
    } finally {
      closing.removeEventListener("abort", stop);
      if (this.#client === client) this.#client = undefined;
      for (const channel of this.#channels.values()) channel.confirmed = false;
      client.disconnect();
    }
  }

  async #subscribe(client: Redis, names: readonly string[]): Promise<void> {
    const asked = names.map((name) => [name, this.#channels.get(name)] as const);
    try {
      await client.subscribe(...names);
    } catch (error) {
      // Of a connection that ended, that is no news; of one that stands, another one may do better.
      if (isReply(error)) this.#refusal = error;
      client.disconnect();
      return;
    }
    if (this.#client !== client) return;
    for (const [name, channel] of asked) {
      if (channel === undefined || this.#channels.get(name) !== channel) continue;
      channel.confirmed = true;
      for (const listener of [...channel.listeners]) listener.onGap();
    }
  }

  #onMessage(name: string, payload: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    for (const listener of channel.listeners) listener.onMessage(payload);
  }

  /** The driver destroys a connection on which nothing comes while an answer is owed: owing one every so often is the watchdog. */
  #beat(client: Redis, link: Link): void {
    if (this.#client !== client) return;
    const now = this.#connection.link;
    // What is published goes where commands go: a server that was left may answer for long and tell nothing.
    if (now !== undefined && (now !== link || !isBehind(now, client))) client.disconnect();
    else client.ping().catch(() => client.disconnect());
    this.#clock.schedule(HEARTBEAT_MS, () => this.#beat(client, link));
  }
}
