import { VirtualClock } from "@intermodal/core/testing";
import type { ChannelModel } from "amqplib";
import { describe, expect, test } from "vitest";
import { Declared } from "./declared.ts";
import { Link } from "./link.ts";

/** A broker that has the queues which are named to it. */
function broker(version: string) {
  const queues = new Set<string>();
  const channel = {
    on() {},
    once() {},
    off() {},
    async close() {},
    async checkQueue(name: string) {
      if (!queues.has(name)) throw Object.assign(new Error("NOT_FOUND"), { code: 404 });
    },
    async assertQueue(name: string) {
      queues.add(name);
    },
    async deleteQueue(name: string) {
      queues.delete(name);
    },
  };
  const model = { connection: { serverProperties: { version } }, createChannel: async () => channel };
  return { queues, link: new Link(model as unknown as ChannelModel) };
}

const declaration = {
  key: "work",
  queues: ["work"],
  declare: async (channel: { assertQueue(name: string): Promise<unknown> }) => void (await channel.assertQueue("work")),
};

describe("a queue", () => {
  test.each([
    ["3.13.7", false],
    ["4.0.5", true],
  ])("that was deleted is made again, on %s at once: %s", async (version, atOnce) => {
    const clock = new VirtualClock();
    const { queues, link } = broker(version);
    const declared = new Declared(clock);
    await declared.declare(link, [declaration]);
    expect(queues.has("work"), "nobody can have consumed from what is new").toBe(true);
    queues.clear();
    declared.forget([declaration]);
    const again = declared.declare(link, [declaration]);
    await clock.settle();
    expect(queues.has("work")).toBe(atOnce);
    await clock.advance(1_000);
    await again;
    expect(queues.has("work")).toBe(true);
  });
});
