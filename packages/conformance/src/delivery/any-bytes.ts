import { equal } from "../assert.ts";
import { deliveryCase, type Message, utf8 } from "./place.ts";
import { Recorder } from "./recorder.ts";
import { SOON_MS } from "./timing.ts";

const BODIES: Readonly<Record<string, Uint8Array>> = {
  "every-byte": Uint8Array.from({ length: 256 }, (_, byte) => byte),
  empty: new Uint8Array(0),
  "one-zero": new Uint8Array(1),
  "not-utf-8": Uint8Array.of(0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80),
  "half-json": utf8('{"specversion":"1.0","data":'),
  "line-ends": utf8("a\r\nb\nc\r\u0000"),
  "byte-order-mark": Uint8Array.of(0xef, 0xbb, 0xbf, 0x61),
  "64-kib": Uint8Array.from({ length: 65_536 }, (_, at) => (at * 31) % 251),
};

export const anyBytes = deliveryCase({
  name: "any-bytes",
  guarantees: { commandBus: ["CB-13"], eventBus: ["EB-16"] },
  title: "any bytes arrive unchanged, also such that nobody can parse",
  async run(t, place) {
    const messages: Message[] = Object.entries(BODIES).map(([id, body]) => ({ id, body }));
    const seen = new Recorder(t.clock);
    await place.consume(await t.open(), 1, seen.handle());
    await place.send(messages);
    await t.until("all arrived", () => seen.count === messages.length, { withinMs: SOON_MS });
    for (const { delivery } of seen.seen) equal(delivery.body, BODIES[delivery.id], `the bytes of ${delivery.id}`);
    seen.assertEachOnce(Object.keys(BODIES), "the worker");
  },
});
