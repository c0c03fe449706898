import { describe, expect, test } from "vitest";
import { IntermodalError } from "../errors.ts";
import type { TaskDraft } from "../lifecycle/record.ts";
import {
  decodeCommand,
  decodeEvent,
  draftOf,
  encodeCommand,
  encodeEvent,
  encodeTask,
  transportId,
} from "./envelope.ts";
import type { CommandEnvelope, EventEnvelope } from "./messages.ts";

const time = Date.parse("2025-06-01T12:34:56.789Z");

const command: CommandEnvelope = {
  id: "c1",
  type: "mail.send",
  version: "1.0",
  source: "app",
  time,
  queue: "mail",
  data: { to: "a" },
};
const event: EventEnvelope = {
  id: "e1",
  type: "book.opened",
  version: "1.2",
  source: "app",
  time,
  data: { bookId: "b" },
};

const draft: TaskDraft = {
  id: 'a/"b"\n:1:1',
  type: "book.import",
  taskVersion: "2.3",
  queue: "slow",
  input: { text: "日本 🙂", list: [1, null, true], __proto__: null },
  userId: "u",
  parentId: "p",
  rootId: "r",
  key: "chapter/1",
  parentSeries: 2,
  series: 3,
  streamId: "r-2",
  createdAt: time,
  notBefore: time + 90 * 86_400_000,
  deadlineAt: time + 100 * 86_400_000,
  retentionMs: 365 * 86_400_000,
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  correlationId: "corr",
  causationId: "cause",
};

function parsed(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

function refusal(run: () => unknown): IntermodalError {
  try {
    run();
  } catch (error) {
    if (error instanceof IntermodalError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a task", () => {
  test("comes back as the draft that was sent", () => {
    const envelope = decodeCommand(encodeTask(draft, 4, "library"));
    expect(draftOf(envelope)).toEqual(draft);
    expect(envelope).toMatchObject({ source: "library", task: { send: 4 } });
  });

  test("what it does not say stays unsaid", () => {
    const {
      userId,
      parentId,
      key,
      parentSeries,
      notBefore,
      deadlineAt,
      traceparent,
      correlationId,
      causationId,
      ...least
    } = draft;
    expect(draftOf(decodeCommand(encodeTask(least, 1, "library")))).toEqual(least);
  });

  test("that is the root of its run, with a stream of the same name, says neither", () => {
    const root = { ...draft, rootId: draft.id, streamId: draft.id };
    const bytes = encodeTask(root, 1, "library");
    expect(Object.keys(parsed(bytes))).not.toEqual(expect.arrayContaining(["taskroot"]));
    expect(Object.keys(parsed(bytes))).not.toEqual(expect.arrayContaining(["taskstream"]));
    expect(draftOf(decodeCommand(bytes))).toEqual(root);
  });

  test("is CloudEvents 1.0: names of lower-case letters and digits, whole numbers of 32 bits, times in RFC 3339", () => {
    const { data, ...attributes } = parsed(encodeTask(draft, 4, "library"));
    expect(data).toEqual(draft.input);
    expect(attributes).toMatchObject({
      specversion: "1.0",
      datacontenttype: "application/json",
      time: "2025-06-01T12:34:56.789Z",
    });
    for (const [name, value] of Object.entries(attributes)) {
      expect(name).toMatch(/^[a-z0-9]{1,20}$/);
      if (typeof value === "number") expect(Math.abs(value)).toBeLessThan(2 ** 31);
      else expect(value).toBeTypeOf("string");
    }
  });

  test.each(["time", "taskretention", "tasksend", "queue", "id", "type"])("cannot be read without %s", (name) => {
    const { [name]: _, ...rest } = parsed(encodeTask(draft, 4, "library"));
    expect(refusal(() => decodeCommand(bytesOf(rest)))).toMatchObject({
      code: "DECODE_FAILED",
      message: expect.stringContaining(`"${name}" must be`) as string,
    });
  });
});

describe("a command", () => {
  test("comes back as it was sent, and is no task", () => {
    const whole = { ...command, userId: "u", traceparent: "t", correlationId: "co", causationId: "ca" };
    expect(decodeCommand(encodeCommand(whole))).toEqual(whole);
    expect(decodeCommand(encodeCommand(command))).toEqual(command);
    expect(draftOf(decodeCommand(encodeCommand(command)))).toBeUndefined();
  });

  test.each([null, 0, "", [], false])("carries %j", (data) => {
    expect(decodeCommand(encodeCommand({ ...command, data })).data).toEqual(data);
  });

  test("of another language needs only what nobody can guess", () => {
    expect(decodeCommand(bytesOf({ specversion: "1.0", id: "1", type: "t", queue: "q" }))).toEqual({
      id: "1",
      type: "t",
      version: "1.0",
      source: "",
      time: 0,
      queue: "q",
      data: null,
    });
  });
});

describe("an event", () => {
  test("comes back as it was sent", () => {
    const whole = { ...event, traceparent: "t", correlationId: "co", causationId: "ca" };
    expect(decodeEvent(encodeEvent(whole))).toEqual(whole);
    expect(decodeEvent(encodeEvent(event))).toEqual(event);
  });

  test("without data has an empty one", () => {
    const { data: _, ...rest } = parsed(encodeEvent(event));
    expect(decodeEvent(bytesOf(rest)).data).toEqual({});
  });

  test.each([[[]], ["text"], [5], [true]])("with data %j cannot be read", (data) => {
    expect(refusal(() => decodeEvent(bytesOf({ ...parsed(encodeEvent(event)), data })))).toMatchObject({
      code: "DECODE_FAILED",
      message: 'the event cannot be read: "data" must be an object',
    });
  });
});

describe("what JSON cannot hold is refused when it is sent", () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;

  test.each<[string, unknown, string]>([
    ["a bigint", { a: { size: [1, 2n] } }, "a.size[1] is a bigint"],
    ["a circle", circular, "is circular"],
    ["nothing", undefined, "it is undefined"],
    ["a function", () => 1, "it is a function"],
  ])("%s", (_name, data, where) => {
    for (const encode of [
      () => encodeCommand({ ...command, data: data as never }),
      () => encodeEvent({ ...event, data: data as never }),
      () => encodeTask({ ...draft, input: data as never }, 1, "app"),
    ]) {
      const error = refusal(encode);
      expect(error.code).toBe("NOT_SERIALIZABLE");
      expect(error.message).toContain(where);
    }
  });

  test.each([Number.NaN, 1e300])("a time of %d", (impossible) => {
    expect(refusal(() => encodeEvent({ ...event, time: impossible })).code).toBe("NOT_SERIALIZABLE");
  });
});

describe("bytes that are no message", () => {
  const commandFields = parsed(encodeTask(draft, 1, "app"));
  const hostile: [string, Uint8Array][] = [
    ["empty", new Uint8Array()],
    [
      "not UTF-8 in one character",
      bytesOf({ ...commandFields, source: "~" }).map((byte) => (byte === 0x7e ? 0xff : byte)),
    ],
    ["not JSON", bytesOf("{")],
    ["a text", bytesOf('"text"')],
    ["null", bytesOf("null")],
    ["a list", bytesOf("[1]")],
    ["a number", bytesOf("1e999")],
    ["deep", bytesOf("[".repeat(200_000))],
    ["another version of the specification", bytesOf({ ...commandFields, specversion: "2.0" })],
    ["binary data", bytesOf({ ...commandFields, data_base64: "AA==" })],
    ["an id that is a number", bytesOf({ ...commandFields, id: 5 })],
    ["an empty type", bytesOf({ ...commandFields, type: "" })],
    ["a time that is none", bytesOf({ ...commandFields, time: "yesterday" })],
    ["a time that is a number", bytesOf({ ...commandFields, time: 5 })],
    ["a wrong optional text", bytesOf({ ...commandFields, traceparent: {} })],
  ];

  test.each(hostile)("%s: DECODE_FAILED with a reason", (_name, bytes) => {
    for (const [kind, decode] of [
      ["command", decodeCommand],
      ["event", decodeEvent],
    ] as const) {
      const error = refusal(() => decode(bytes));
      expect(error.code).toBe("DECODE_FAILED");
      expect(error.message).toMatch(new RegExp(`^the ${kind} cannot be read: .+`));
    }
  });

  test.each([
    ["taskseries", -1],
    ["taskseries", "1"],
    ["tasksend", 1.5],
    ["tasksend", 2 ** 60],
    ["taskparentseries", {}],
    ["taskretention", ""],
    ["taskretention", "a week"],
    ["taskretention", "Infinity"],
    ["tasknotbefore", "soon"],
    ["taskkey", 5],
  ])("a task with %s %j: DECODE_FAILED", (name, value) => {
    const error = refusal(() => decodeCommand(bytesOf({ ...commandFields, [name]: value })));
    expect(error).toMatchObject({ code: "DECODE_FAILED", message: expect.stringContaining(`"${name}"`) as string });
  });

  test("any damage to a message is DECODE_FAILED or another message", () => {
    const whole = encodeTask(draft, 1, "app");
    for (let index = 0; index < whole.length; index++) {
      for (const byte of [0, 0x22, 0x7b, 0x7d, 0xff]) {
        const damaged = whole.slice();
        damaged[index] = byte;
        try {
          decodeCommand(damaged);
        } catch (error) {
          if (!(error instanceof IntermodalError && error.code === "DECODE_FAILED")) throw error;
        }
      }
    }
  });

  test("__proto__ in a message changes no prototype", () => {
    const text = JSON.stringify({ ...parsed(encodeEvent(event)), data: 0 }).replace(
      '"data":0',
      '"data":{"__proto__":{"admin":true}},"__proto__":{"admin":true}',
    );
    const { data } = decodeEvent(bytesOf(text));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.keys(data)).toEqual(["__proto__"]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

test("messages of any length keep their bytes while others are written", () => {
  const lengths = [0, 1, 300, 1_300, 1_400, 5_000, 100_000];
  const texts = lengths.flatMap((length) => ["a", "é", "日", "🙂"].map((character) => character.repeat(length)));
  const written = Array.from({ length: 20 }, () => texts)
    .flat()
    .map((data) => ({ data, bytes: encodeCommand({ ...command, data }) }));
  for (const { data, bytes } of written) expect(decodeCommand(bytes).data === data).toBe(true);
});

test("a transport id is one id, series and send only", () => {
  const parts: [string, number, number][] = [
    ["a", 1, 1],
    ["a", 1, 11],
    ["a", 11, 1],
    ["a:1", 1, 1],
    ["a:1:1", 1, 1],
    ["a:", 1, 1],
  ];
  expect(new Set(parts.map(([id, series, send]) => transportId(id, series, send))).size).toBe(parts.length);
});
