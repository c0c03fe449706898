import type { Channel, Message } from "amqplib";
import { describe, expect, test } from "vitest";
import { Acks } from "./acks.ts";
import { message } from "./message-fixture.ts";

/** Acknowledges as RabbitMQ does: a tag that is not outstanding is an error that closes the channel. */
class Unacknowledged {
  readonly tags = new Set<number>();
  frames = 0;

  readonly channel = {
    ack: ({ fields: { deliveryTag } }: Message, allUpTo = false) => {
      this.frames++;
      if (!this.tags.has(deliveryTag)) throw new Error(`unknown delivery tag ${deliveryTag}`);
      for (const tag of this.tags) if (tag === deliveryTag || (allUpTo && tag < deliveryTag)) this.tags.delete(tag);
    },
  } as unknown as Channel;
}

describe("acknowledging", () => {
  test("takes one frame for what is done in order", () => {
    const broker = new Unacknowledged();
    const acks = new Acks(broker.channel);
    for (let tag = 1; tag <= 100; tag++) broker.tags.add(tag);
    for (let tag = 1; tag <= 100; tag++) acks.add(message({}, { deliveryTag: tag }));
    acks.flush();
    expect([broker.tags.size, broker.frames]).toEqual([0, 1]);
  });

  test("never takes along what is not done, in whatever order things are done", () => {
    for (let round = 0; round < 200; round++) {
      const broker = new Unacknowledged();
      const acks = new Acks(broker.channel);
      const open = new Set<number>();
      for (let tag = 1; tag <= 60; ) {
        while (open.size < 8 && tag <= 60) {
          open.add(tag);
          broker.tags.add(tag++);
        }
        const done = [...open].filter(() => Math.random() < 0.3);
        for (const deliveryTag of done) {
          open.delete(deliveryTag);
          acks.add(message({}, { deliveryTag }));
        }
        acks.flush();
        expect([...broker.tags].sort()).toEqual([...open].sort());
      }
    }
  });

  test("goes out by itself with the turn of the event loop", async () => {
    const broker = new Unacknowledged();
    const acks = new Acks(broker.channel);
    broker.tags.add(1);
    acks.add(message({}, { deliveryTag: 1 }));
    expect(broker.tags.size).toBe(1);
    await new Promise(setImmediate);
    expect(broker.tags.size).toBe(0);
  });
});
