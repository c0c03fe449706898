import type { JsonValue } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { HOSTILE_TEXTS, HOSTILE_VALUES } from "../task-state-store/hostile-values.ts";
import { streamCase } from "./stream.ts";

/** Text that is `bytes` long as JSON, most characters of two bytes. */
function textOf(bytes: number): string {
  const inside = bytes - 2;
  return "é".repeat(Math.floor(inside / 2)) + "x".repeat(inside % 2);
}

export const dataCases = [
  streamCase("hostile-data", ["ES-10"], "any data, source and writer is carried unchanged", async (_t, stream) => {
    const values: readonly JsonValue[] = [...HOSTILE_VALUES, ...HOSTILE_TEXTS];
    const events = values.map((data, at) =>
      stream.event("w", at + 1, { data, source: HOSTILE_TEXTS[at % HOSTILE_TEXTS.length] ?? "" }),
    );
    await stream.append("s", events);
    const read = await stream.all("s");
    for (const [at, event] of events.entries()) {
      equal([read[at]?.data, read[at]?.source], [event.data, event.source], `entry ${at + 1}`);
    }
    const writers = HOSTILE_TEXTS.map((writer) => stream.event(writer, 1));
    const first = await stream.append("writers", writers);
    equal(new Set(first).size, writers.length, "each writer's event is one of its own");
    equal(await stream.append("writers", writers), first, "repeated");
  }),

  streamCase(
    "hostile-names",
    ["ES-10"],
    "CR, LF and NUL in an event's name are refused, other characters are not",
    async (_t, stream) => {
      for (const [at, name] of ["a\rb", "a\nb", "\0", "token\r\n"].entries()) {
        await rejects(`the name ${JSON.stringify(name)}`, "VALIDATION_FAILED", () =>
          stream.append("s", [stream.event("w", at + 1, { event: name })]),
        );
        await rejects(`a terminal event ${JSON.stringify(name)}`, "VALIDATION_FAILED", () =>
          stream.finish("s", { event: name }),
        );
      }
      const page = await stream.port.read("s");
      equal([page.events, page.ended], [[], false], "the stream afterwards");
      const names = ["a b", "ü", "$gt", "__proto__", "a:b", "\u{1F991}", "{}"];
      await stream.append(
        "s",
        names.map((event, at) => stream.event("w", at + 1, { event })),
      );
      equal(
        (await stream.all("s")).map(({ event }) => event),
        names,
        "names that are carried",
      );
    },
  ),

  streamCase(
    "data-limit",
    ["ES-10"],
    "data of the longest length is carried, one byte more is refused",
    async (_t, stream) => {
      const { maxDataBytes } = stream.port.capabilities;
      assert(maxDataBytes >= 1_048_576, `at least 1 MiB is carried (${maxDataBytes})`);
      const lengths = [1_048_576, ...(maxDataBytes <= 16_777_216 ? [maxDataBytes] : [])];
      for (const [at, length] of lengths.entries()) {
        const data = textOf(length);
        await stream.append("s", [stream.event("w", at + 1, { data })]);
        assert(
          (await stream.port.read("s", { after: at })).events[0]?.data === data,
          `${length} bytes are carried unchanged`,
        );
      }
      if (maxDataBytes > 64 * 1_048_576) return;
      const data = textOf(maxDataBytes + 1);
      await rejects("data one byte longer", "PAYLOAD_TOO_LARGE", () =>
        stream.append("s", [stream.event("w", 9, { data })]),
      );
      const batch = stream.port.append([
        { streamId: "a", events: stream.events("w", 1, 1) },
        { streamId: "s", events: [stream.event("w", 9, { data })] },
      ]);
      await rejects("in a batch", "PAYLOAD_TOO_LARGE", batch);
      equal(
        [(await stream.port.read("s", { limit: 1 })).last, (await stream.port.read("a")).last],
        [lengths.length, 1],
        "what was stored",
      );
    },
  ),
];
