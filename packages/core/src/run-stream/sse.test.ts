import { describe, expect, it } from "vitest";
import { encodeRunEvent, encodeRunGap, encodeSse, encodeSseRetry, SSE_HEARTBEAT } from "./sse.ts";
import { type SseMessage, SseParser } from "./sse-parser.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What the parser makes of a text that comes in pieces of `size` bytes. */
function parse(text: string | Uint8Array, size = Number.POSITIVE_INFINITY): SseMessage[] {
  const all = typeof text === "string" ? bytes(text) : text;
  const parser = new SseParser();
  const messages: SseMessage[] = [];
  for (let at = 0; at < all.length; at += size) messages.push(...parser.push(all.subarray(at, at + size)));
  return messages;
}

const message = (data: string, rest: Partial<SseMessage> = {}): SseMessage => ({
  id: "",
  event: "message",
  data,
  ...rest,
});

describe("the parser", () => {
  it.each<[string, string, SseMessage[]]>([
    ["LF", "data: a\n\ndata: b\n\n", [message("a"), message("b")]],
    ["CR", "data: a\r\rdata: b\r\r", [message("a"), message("b")]],
    ["CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", [message("a"), message("b")]],
    ["all of them", "data: a\r\ndata: b\rdata: c\n\r\n", [message("a\nb\nc")]],
    ["a byte order mark", "\uFEFFdata: a\n\n", [message("a")]],
    ["a second byte order mark", "\uFEFF\uFEFFdata: a\n\n", []],
    ["comments", ": heartbeat\n\n:\ndata: a\n: in between\n\n", [message("a")]],
    ["no space and two", "data:a\ndata:  b\n\n", [message("a\n b")]],
    ["a field without colon", "data\n\n", [message("")]],
    ["empty lines of data", "data:\ndata:\n\n", [message("\n")]],
    ["unknown fields", "foo: bar\nData: x\ndata: a\n\n", [message("a")]],
    [
      "names and ids",
      "event: x\nid: 7\ndata: a\n\ndata: b\n\n",
      [message("a", { event: "x", id: "7" }), message("b", { id: "7" })],
    ],
    ["an id without data", "id: 7\n\ndata: a\n\n", [message("a", { id: "7" })]],
    ["an id that is taken back", "id: 7\ndata: a\n\nid\ndata: b\n\n", [message("a", { id: "7" }), message("b")]],
    ["NUL in an id", "id: 7\nid: 8\0\ndata: a\n\n", [message("a", { id: "7" })]],
    ["a name without data", "event: x\n\ndata: a\n\n", [message("a")]],
    ["an unfinished message", "data: a\n\ndata: b\n", [message("a")]],
    ["any characters", "data: 日本 🚢 é\n\n", [message("日本 🚢 é")]],
  ])("knows %s, however it is cut", (_, text, expected) => {
    for (let size = 1; size <= bytes(text).length; size++)
      expect(parse(text, size), `pieces of ${size}`).toEqual(expected);
  });

  it("knows the pause that the server names", () => {
    const parser = new SseParser();
    parser.push(bytes("retry: soon\nretry: -1\n"));
    expect(parser.retryMs).toBe(undefined);
    parser.push(bytes(encodeSseRetry(1_500)));
    expect(parser.retryMs).toBe(1_500);
  });

  it("gives out a message as soon as its blank line is there", () => {
    const parser = new SseParser();
    expect(parser.push(bytes("data: a\r\n\r"))).toEqual([message("a")]);
    expect(parser.push(bytes("\n"))).toEqual([]);
    expect(parser.push(bytes("data: b\r\n\r\n"))).toEqual([message("b")]);
  });
});

describe("the encoder", () => {
  it("splits data at every kind of line break", () => {
    const encoded = encodeSse({ id: "1", event: "x", data: "a\nb\rc\r\nd\n\re" });
    expect(encoded).toBe("id: 1\nevent: x\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n");
    expect(parse(encoded)).toEqual([{ id: "1", event: "x", data: "a\nb\nc\nd\n\ne" }]);
  });

  it.each(["\n", "\r", "\0"])("refuses %j in an id and in a name", (character) => {
    const refused = expect.objectContaining({ code: "VALIDATION_FAILED" });
    expect(() => encodeSse({ id: `1${character}`, data: "" })).toThrow(refused);
    expect(() => encodeSse({ event: `x${character}data: forged`, data: "" })).toThrow(refused);
  });

  it("carries an event of a run whole", () => {
    const data = { text: "a\r\nb\0c\u2028", list: [1, null, "🚢"] };
    const stored = { streamId: "s", sequence: 42, timestamp: 7, source: "task-1", event: "token", data };
    const [parsed] = parse(SSE_HEARTBEAT + encodeRunEvent({ runId: "run-1", segment: 1 }, stored));
    expect(parsed).toMatchObject({ id: "42", event: "token" });
    expect(JSON.parse(parsed?.data ?? "")).toEqual({
      run_id: "run-1",
      timestamp: 7,
      sequence: 42,
      source: "task-1",
      event: "token",
      data,
    });
  });

  it.each(["error", "open"])(
    "gives an event named %s no name that an EventSource would take for the connection's",
    (event) => {
      const stored = { streamId: "s", sequence: 42, timestamp: 7, source: "task-1", event, data: null };
      const [parsed] = parse(encodeRunEvent({ runId: "run-1", segment: 1 }, stored));
      expect(parsed).toMatchObject({ id: "42", event: "message" });
      expect(JSON.parse(parsed?.data ?? "")).toMatchObject({ event });
    },
  );

  it("names the end of a gap as the place to resume at", () => {
    const gap = { gap: { from: 3, to: 9 } };
    expect(parse(encodeRunGap({ runId: "r", segment: 1 }, gap))).toEqual([
      { id: "9", event: "gap", data: '{"from":3,"to":9}' },
    ]);
    expect(parse(encodeRunGap({ runId: "r", segment: 12 }, gap))[0]?.id).toBe("12-9");
  });
});
