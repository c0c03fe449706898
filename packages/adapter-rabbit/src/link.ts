import type { Channel, ChannelModel } from "amqplib";

/** One connection's life from its opening to its loss. */
export class Link {
  readonly model: ChannelModel;
  /** Of the server. */
  readonly version: string;
  /** Why RabbitMQ takes nothing from it now: an alarm's reason. */
  blocked: string | undefined;
  isLost = false;

  constructor(model: ChannelModel) {
    this.model = model;
    this.version = model.connection.serverProperties?.version ?? "unknown";
  }

  /**
   * Before version 4 a channel does not tell its client at once that a queue was deleted: it first tries to consume from it again, and where the queue was made
   * anew by then it succeeds, but drops what is delivered, as if it had come before. Such a consumer holds messages until its channel is closed.
   */
  get consumesAgainByItself(): boolean {
    return Number.parseInt(this.version, 10) < 4;
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
      void closeQuietly(channel);
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

/** Closes a channel, which may be closed already. Resolves when all that was sent over it has arrived, as far as that can be. */
export async function closeQuietly(channel: Channel): Promise<void> {
  try {
    await channel.close();
  } catch {
    // It was closed before, or went with its connection.
  }
}
