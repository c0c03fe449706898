import { EventEmitter } from "node:events";
import { VirtualClock } from "@intermodal/core/testing";
import type { Channel } from "amqplib";
import { describe, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { Subscription } from "./subscription.ts";

/** As the driver's: asks one thing after the other, in the order they came, and each once the one before it is answered. */
class FakeChannel extends EventEmitter {
  /** What is asked is answered once this resolves. */
  answering = Promise.resolve();
  /** The prefetch of each, by its tag. */
  readonly consumers = new Map<string, number>();
  #prefetch = 0;
  #tags = 0;
  #last: Promise<unknown> = Promise.resolve();

  prefetch(count: number): Promise<void> {
    return this.#ask(() => {
      this.#prefetch = count;
    });
  }

  consume(): Promise<{ consumerTag: string }> {
    return this.#ask(() => {
      const consumerTag = `tag ${++this.#tags}`;
      this.consumers.set(consumerTag, this.#prefetch);
      return { consumerTag };
    });
  }

  cancel(tag: string): Promise<void> {
    return this.#ask(() => void this.consumers.delete(tag));
  }

  #ask<T>(answer: () => T): Promise<T> {
    const answered = Promise.all([this.#last, this.answering]).then(answer);
    this.#last = answered;
    return answered;
  }
}

function stage() {
  const channel = new FakeChannel();
  const subscription = new Subscription({
    channel: channel as unknown as Channel,
    link: {} as Link,
    queue: "queue",
    onMessage() {},
    onEnd() {},
  });
  return { channel, subscription };
}

describe("a subscription", () => {
  test("gives each consumer its own prefetch, also where offers overlap", async () => {
    const { channel, subscription } = stage();
    await Promise.all([subscription.offer(40), subscription.offer(1)]);
    expect([...channel.consumers.values()]).toEqual([40, 1]);
    expect(subscription.offered).toBe(41);
  });

  test("cancels a consumer too that was still being made", async () => {
    const clock = new VirtualClock();
    const { channel, subscription } = stage();
    await subscription.offer(1);
    const { promise, resolve } = Promise.withResolvers<void>();
    channel.answering = promise;
    const offering = subscription.offer(2);
    let isCancelled = false;
    const cancelling = subscription.cancel().then(() => {
      isCancelled = true;
    });
    await clock.settle();
    expect(isCancelled).toBe(false);
    resolve();
    await Promise.all([offering, cancelling]);
    expect(channel.consumers.size).toBe(0);
  });
});
