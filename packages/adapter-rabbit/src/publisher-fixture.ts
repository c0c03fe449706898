import { EventEmitter } from "node:events";
import { silentLogger } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import type { ChannelModel, Options } from "amqplib";
import { Connection } from "./connection.ts";
import { Declared } from "./declared.ts";
import type { Route } from "./publication.ts";
import { Publisher } from "./publisher.ts";
import { Sender } from "./sender.ts";

const SEND_TIMEOUT_MS = 10_000;

/** A confirm channel whose broker does nothing but what a test tells it to. */
export class FakeChannel extends EventEmitter {
  isClosed = false;
  readonly published: { readonly id: string | undefined; readonly expiration: unknown }[] = [];

  publish(_exchange: string, _routingKey: string, _content: Buffer, options: Options.Publish): boolean {
    this.published.push({ id: options.messageId, expiration: options.expiration });
    return true;
  }

  get ids(): (string | undefined)[] {
    return this.published.map(({ id }) => id);
  }

  confirm(deliveryTag: number, multiple = false): void {
    this.emit("ack", { deliveryTag, multiple });
  }

  giveBack(messageId: string, routingKey: string): void {
    this.emit("return", { fields: { routingKey }, properties: { messageId } });
  }

  fail(message: string): void {
    this.emit("error", new Error(message));
    this.emit("close");
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.emit("close");
  }
}

class FakeModel extends EventEmitter {
  readonly connection = { serverProperties: { product: "RabbitMQ", version: "4.3.6" } };
  readonly channels: FakeChannel[] = [];

  async createConfirmChannel(): Promise<FakeChannel> {
    const channel = new FakeChannel();
    this.channels.push(channel);
    return channel;
  }

  async createChannel(): Promise<FakeChannel> {
    return new FakeChannel();
  }

  async close(): Promise<void> {}
}

/** A publisher over a fake broker, in virtual time. */
export function stage() {
  const clock = new VirtualClock();
  const models: FakeModel[] = [];
  let refusal: Error | undefined;
  const connection = new Connection({
    server: "the fake",
    open: async () => {
      if (refusal !== undefined) throw refusal;
      const model = new FakeModel();
      models.push(model);
      return model as unknown as ChannelModel;
    },
    own: true,
    clock,
    logger: silentLogger,
  });
  const declared = new Declared(clock);
  const declarations: string[] = [];
  const limits: (number | undefined)[] = [];
  const publisher = new Publisher({
    connection,
    declared,
    clock,
    sendTimeoutMs: SEND_TIMEOUT_MS,
    onLimit: (limit) => limits.push(limit),
  });
  const sender = new Sender({ publisher, clock, sendTimeoutMs: SEND_TIMEOUT_MS });
  const route: Route = {
    exchange: "x",
    routingKey: "queue",
    needs: [{ key: "queue", declare: async () => void declarations.push("queue") }],
  };
  return {
    clock,
    publisher,
    declarations,
    limits,
    /** From now on it can't be connected to. */
    refuse(error: Error | undefined) {
      refusal = error;
    },
    get model(): FakeModel {
      const model = models.at(-1);
      if (model === undefined) throw new Error("nothing has connected");
      return model;
    },
    get channel(): FakeChannel {
      const channel = this.model.channels.at(-1);
      if (channel === undefined) throw new Error("no channel was opened");
      return channel;
    },
    /** Sends a copy that is to take the place of a delivery. */
    replace(messageId: string, isPointless: () => boolean): Promise<void> {
      return sender.publish({ route, body: new Uint8Array(4), properties: { messageId }, isPointless });
    },
    send(ids: readonly string[], { bytes = 4, dueAt }: { bytes?: number; dueAt?: number } = {}): Promise<void> {
      return sender.publishAll(ids, (messageId) => ({
        route,
        body: new Uint8Array(messageId === "large" ? 1_000 : bytes),
        properties: { messageId },
        dueAt,
      }));
    },
  };
}
