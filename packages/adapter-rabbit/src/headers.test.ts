import type { Options } from "amqplib";
import { describe, expect, test } from "vitest";
import { again, dead, deadLetter, incoming, outgoing, replayed } from "./headers.ts";
import { message } from "./message-fixture.ts";

const NOW = 1_700_000_000_123;

/** What a consumer gets of what was published, delivered after `deaths` holders died. */
function arrived({ headers, ...properties }: Options.Publish, deaths = 0) {
  return message({ ...properties, headers: { ...headers, ...(deaths > 0 && { "x-delivery-count": deaths }) } });
}

describe("a message", () => {
  test("arrives as it was sent, for the first time", () => {
    const { id, type, attempt, sentAt, body } = incoming(arrived(outgoing("a", "t", NOW, true)), undefined, NOW + 9);
    expect({ id, type, attempt, sentAt }).toEqual({ id: "a", type: "t", attempt: 1, sentAt: NOW });
    expect(body).toEqual(new TextEncoder().encode("body"));
  });

  test("counts the tries that its copies carry, and the deaths of its holders", () => {
    const first = arrived(outgoing("a", "t", NOW, true), 2);
    expect(incoming(first, undefined, 0).attempt).toBe(3);
    const copy = arrived(again(first, incoming(first, undefined, 0), 3), 1);
    expect(incoming(copy, undefined, 0)).toMatchObject({ id: "a", type: "t", attempt: 5, sentAt: NOW });
  });

  test("of another program needs none of our headers", () => {
    const bare = incoming(message({ headers: undefined }), "from.the.route", NOW);
    expect(bare).toMatchObject({ type: "from.the.route", attempt: 1, sentAt: NOW });
    expect(bare.id).toMatch(/^[0-9a-f-]{36}$/);
    const dated = message({ messageId: "m", type: "t", timestamp: 1_700_000_000 });
    expect(incoming(dated, undefined, NOW)).toMatchObject({ id: "m", type: "t", sentAt: 1_700_000_000_000 });
  });

  test("keeps other programs' headers in its copies, and nothing that the broker wrote", () => {
    const headers = { traceparent: "00-1-2-03", "x-death": [], "x-first-death-queue": "q", "x-delivery-count": 3 };
    const foreign = message({ messageId: "m", headers, correlationId: "c" });
    const copy = again(foreign, incoming(foreign, "t", NOW), 1);
    expect(copy).toMatchObject({ type: "t", correlationId: "c", persistent: true, mandatory: true });
    expect(copy.headers).toEqual({ traceparent: "00-1-2-03", "intermodal-sent-at": NOW, "intermodal-tries": 1 });
  });
});

describe("a dead letter", () => {
  test("tells why, when and after how many tries; replayed it is as new", () => {
    const failed = arrived(outgoing("a", "t", NOW, true), 1);
    const letter = arrived(dead(failed, incoming(failed, undefined, NOW), { reason: "no good" }, NOW + 5), 7);
    expect(deadLetter(letter)).toMatchObject({ id: "a", type: "t", reason: "no good", attempts: 2, deadAt: NOW + 5 });
    const { properties } = replayed(letter);
    expect(properties.headers).toEqual({ "intermodal-sent-at": NOW, "intermodal-tries": 0 });
  });

  test("has an id that sorts by time", () => {
    const failed = message({ messageId: "a" });
    const ids = [0, 0, 1, 999, 1_000_000].map((later) => {
      return deadLetter(arrived(dead(failed, incoming(failed, "t", NOW), { reason: "" }, NOW + later))).deadLetterId;
    });
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test("that the broker put aside by itself is one too", () => {
    const time = { "!": "timestamp" as const, value: 1_700_000_000 };
    const death = { count: 1, reason: "delivery_limit", queue: "q", time, exchange: "", "routing-keys": ["q"] };
    const letter = deadLetter(message({ messageId: "a", headers: { "x-death": [death as never] } }));
    expect(letter).toMatchObject({ reason: "RabbitMQ put it aside: delivery_limit", deadAt: 1_700_000_000_000 });
    expect(letter.deadLetterId).toMatch(/\.a$/);
  });

  test("cuts a reason that would not fit into its frame, between characters", () => {
    const failed = message({ messageId: "a" });
    const { headers } = dead(failed, incoming(failed, "t", NOW), { reason: "😀".repeat(10_000) }, NOW);
    const reason = headers["intermodal-reason"] as string;
    expect(reason.length).toBe(8_192);
    expect(reason.isWellFormed()).toBe(true);
  });
});
