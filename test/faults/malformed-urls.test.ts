import { createApp, type IntermodalError, isIntermodalError } from "@intermodal/core";
import { expect, test } from "vitest";
import { LogBook } from "./log-book.ts";

const SECRET = "s3cret";

/** What people write by mistake, with a password in it. */
const malformed = ["nats", "amqp"].flatMap((scheme) => [
  `${scheme}://user:${SECRET}@host:99999`,
  `${scheme}://user:${SECRET}@`,
  `${scheme}://user:${SECRET}/slash@host`,
  `${scheme}://user:${SECRET}@host name`,
  `${scheme}://user:${SECRET}%zz@127.0.0.1:1`,
  `${scheme}//user:${SECRET}@host`,
]);

for (const url of [...malformed, `amqp:user:${SECRET}@host`, `user:${SECRET}@host`]) {
  test.concurrent(`${url.replace(SECRET, "…")} is refused without being told`, async () => {
    const book = new LogBook();
    const refused = await refusalOf(url, book);
    book.add(refused);
    expect(isIntermodalError(refused), String(refused)).toBe(true);
    expect(["CONFIG_INVALID", "UNKNOWN_SCHEME"]).toContain((refused as IntermodalError).code);
    expect(book.leaks([SECRET])).toEqual([]);
  });
}

/** By `createApp` or, where what it is cannot be known so early, by `connect`. */
async function refusalOf(url: string, logger: LogBook): Promise<unknown> {
  try {
    const app = createApp({ name: "faults", commands: url, events: url, state: "memory:", streams: "memory:", logger });
    try {
      await app.connect();
    } finally {
      await app.stop();
    }
  } catch (error) {
    return error;
  }
  return undefined;
}
