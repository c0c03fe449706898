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

  /** A channel whose errors can't end the process: whoever uses it learns of them by what rejects and by its `close` event. @throws when the link is lost meanwhile. */
  async channel(): Promise<Channel> {
    const channel = await this.#open();
    if (!this.isLost) return channel;
    // Either its event has passed, and nobody would learn of it; or it is open on a connection of the application's, and nobody would close it.
    void closeQuietly(channel);
    throw new Error("the connection was lost while a channel was opened");
  }

  /** Uses a channel of its own for something short; also after the adapter has let go of a connection of the application's, to put back in order what it leaves there. */
  async using<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.#open();
    try {
      return await use(channel);
    } finally {
      void closeQuietly(channel);
    }
  }

  async #open(): Promise<Channel> {
    return quiet(await this.model.createChannel());
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
  const closed = Promise.withResolvers<void>();
  channel.once("close", closed.resolve);
  try {
    // Whatever else waits for an answer, the driver rejects when the connection is lost; this it forgets, and only the event tells.
    await Promise.race([channel.close(), closed.promise]);
  } catch {
    // It was closed before, or went with its connection.
  } finally {
    channel.off("close", closed.resolve);
  }
}
