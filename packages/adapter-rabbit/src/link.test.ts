import { EventEmitter } from "node:events";
import { VirtualClock } from "@intermodal/core/testing";
import type { Channel, ChannelModel } from "amqplib";
import { describe, expect, test } from "vitest";
import { closeQuietly, Link } from "./link.ts";

/** Answers its closing when a test says so. Like the driver's, it forgets who waits for that once its connection is lost. */
class FakeChannel extends EventEmitter {
  isOpen = true;
  #onAnswer: (() => void) | undefined;

  close(): Promise<void> {
    if (!this.isOpen) return Promise.reject(new Error("Channel closed"));
    this.isOpen = false;
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }

  answer(): void {
    this.#onAnswer?.();
    this.emit("close");
  }

  loseConnection(): void {
    this.isOpen = false;
    this.#onAnswer = undefined;
    this.emit("close");
  }
}

/** A channel on its way to being closed, and whether it is. */
function closing(channel = new FakeChannel()) {
  const clock = new VirtualClock();
  let isDone = false;
  void closeQuietly(channel as unknown as Channel).then(() => {
    isDone = true;
  });
  return {
    channel,
    async isDone(): Promise<boolean> {
      await clock.settle();
      return isDone;
    },
  };
}

describe("closing a channel", () => {
  test("waits for the broker's answer", async () => {
    const s = closing();
    expect(await s.isDone()).toBe(false);
    s.channel.answer();
    expect(await s.isDone()).toBe(true);
    expect(s.channel.listenerCount("close")).toBe(0);
  });

  test("is over when the connection is lost before the answer", async () => {
    const s = closing();
    expect(await s.isDone()).toBe(false);
    s.channel.loseConnection();
    expect(await s.isDone()).toBe(true);
    expect(s.channel.listenerCount("close")).toBe(0);
  });

  test("is over at once where it was closed before", async () => {
    const channel = new FakeChannel();
    channel.loseConnection();
    const s = closing(channel);
    expect(await s.isDone()).toBe(true);
    expect(channel.listenerCount("close")).toBe(0);
  });
});

describe("opening a channel", () => {
  test("as the link is lost fails, and leaves none behind", async () => {
    const channel = new FakeChannel();
    const opened = Promise.withResolvers<FakeChannel>();
    const link = new Link({ connection: {}, createChannel: () => opened.promise } as unknown as ChannelModel);
    const opening = link.channel();
    link.isLost = true;
    opened.resolve(channel);
    await expect(opening).rejects.toThrow("lost");
    expect(channel.isOpen).toBe(false);
  });

  test("for something short works after the link was let go, to put things back in order", async () => {
    const channel = new FakeChannel();
    const link = new Link({ connection: {}, createChannel: async () => channel } as unknown as ChannelModel);
    link.isLost = true;
    expect(await link.using(async () => "done")).toBe("done");
    expect(channel.isOpen).toBe(false);
  });
});
