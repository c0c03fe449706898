import type { Channel, ChannelModel } from "amqplib";
import { channelFailure } from "./errors.ts";
import type { Declaration } from "./topology.ts";

/** One connection's life from its opening to its loss. */
export class Link {
  readonly model: ChannelModel;
  /** Of the server. */
  readonly version: string;
  /** Why RabbitMQ takes nothing from it now: an alarm's reason. */
  blocked: string | undefined;
  isLost = false;
  readonly #declared = new Set<string>();
  readonly #declaring = new Map<string, Promise<void>>();

  constructor(model: ChannelModel) {
    this.model = model;
    this.version = model.connection.serverProperties?.version ?? "unknown";
  }

  /** Whether this connection has seen to it that all of these exist. */
  has(declarations: readonly Declaration[]): boolean {
    for (const { key } of declarations) if (!this.#declared.has(key)) return false;
    return true;
  }

  /** Declares what it has not declared yet. */
  async declare(declarations: readonly Declaration[]): Promise<void> {
    for (const declaration of declarations) {
      if (this.#declared.has(declaration.key)) continue;
      let declaring = this.#declaring.get(declaration.key);
      if (declaring === undefined) {
        declaring = this.#declare(declaration).finally(() => this.#declaring.delete(declaration.key));
        this.#declaring.set(declaration.key, declaring);
      }
      await declaring;
    }
  }

  /** Something of these turned out to be gone. */
  forget(declarations: readonly Declaration[]): void {
    for (const { key } of declarations) this.#declared.delete(key);
  }

  /** A channel whose errors can't end the process: whoever uses it learns of them by what rejects and by its `close` event. */
  async channel(): Promise<Channel> {
    return quiet(await this.model.createChannel());
  }

  /** Uses a channel of its own for something short. */
  async using<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.channel();
    try {
      return await use(channel);
    } finally {
      closeQuietly(channel);
    }
  }

  async #declare({ key, declare }: Declaration): Promise<void> {
    try {
      await this.using(declare);
      this.#declared.add(key);
    } catch (error) {
      throw channelFailure(`declaring ${key}`, error);
    }
  }
}

/** Without a listener an `error` event would end the process. */
export function quiet<Emitter extends { on(event: "error", listener: () => void): unknown }>(
  emitter: Emitter,
): Emitter {
  emitter.on("error", () => {});
  return emitter;
}

/** Closes a channel, which may be closed already. */
export function closeQuietly(channel: Channel): void {
  channel.close().catch(() => {});
}
