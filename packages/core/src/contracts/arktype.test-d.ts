import { type } from "arktype";
import { expectTypeOf } from "vitest";
import { type CommandInput, type CommandParams, defineCommand } from "./command.ts";
import { defineEvent, type EventContract, type EventData, type EventPayload } from "./event.ts";
import {
  defineTask,
  type TaskContract,
  type TaskInput,
  type TaskParams,
  type TaskResult,
  type TaskReturn,
} from "./task.ts";

const when = type("string").pipe((text) => new Date(text));
const task = defineTask("book.import", {
  input: type({
    id: "string",
    pages: type({ text: "string", "note?": "string" }).array(),
    size: ["number", "number"],
    source: type({ kind: "'url'", url: "string" }).or({ kind: "'file'", path: "string | null" }),
    limit: "number = 10",
    since: when,
  }),
  output: type({ chapters: "number", finishedAt: when }),
});

expectTypeOf<TaskInput<typeof task>>().toEqualTypeOf<{
  id: string;
  pages: { text: string; note?: string }[];
  size: [number, number];
  source: { kind: "url"; url: string } | { kind: "file"; path: string | null };
  limit?: number;
  since: string;
}>();
expectTypeOf<TaskParams<typeof task>>().toEqualTypeOf<{
  id: string;
  pages: { text: string; note?: string }[];
  size: [number, number];
  source: { kind: "url"; url: string } | { kind: "file"; path: string | null };
  limit: number;
  since: Date;
}>();
expectTypeOf<TaskReturn<typeof task>>().toEqualTypeOf<{ chapters: number; finishedAt: string }>();
expectTypeOf<TaskResult<typeof task>>().toEqualTypeOf<{ chapters: number; finishedAt: Date }>();

const silent = defineTask("book.touch", { input: type({ id: "string" }) });
expectTypeOf<TaskReturn<typeof silent>>().toEqualTypeOf<void>();
expectTypeOf<TaskResult<typeof silent>>().toEqualTypeOf<undefined>();

defineTask("t", { input: type("unknown"), output: type("string | undefined") });
defineTask("t", { input: type("Record<string, unknown>"), output: type("string.date.parse") });

// @ts-expect-error a Date
defineTask("t", { input: type({ at: "Date" }) });
// @ts-expect-error a Date as a part of a union in an array
defineTask("t", { input: type({ list: "(string | Date)[]" }) });
// @ts-expect-error a bigint
defineTask("t", { input: type({ "size?": "bigint" }) });
// @ts-expect-error a Map
defineTask("t", { input: type({ map: "Map" }) });
// @ts-expect-error a Set
defineTask("t", { input: type({ set: "Set" }) });
// @ts-expect-error a symbol
defineTask("t", { input: type({ symbol: "symbol" }) });
// @ts-expect-error undefined in an array becomes null
defineTask("t", { input: type({ list: "(string | undefined)[]" }) });
// @ts-expect-error binary data
defineTask("t", { input: type({ bytes: "TypedArray.Uint8" }) });
// @ts-expect-error the handler would return a Date
defineTask("t", { input: type({}), output: type({ at: "Date" }) });

const command = defineCommand("mail.send", { input: type({ to: "string", at: when }) });
expectTypeOf<CommandInput<typeof command>>().toEqualTypeOf<{ to: string; at: string }>();
expectTypeOf<CommandParams<typeof command>>().toEqualTypeOf<{ to: string; at: Date }>();
// @ts-expect-error a Date
defineCommand("c", { input: type({ at: "Date" }) });

const event = defineEvent("book.summarised", { data: type({ bookId: "string", at: when }) });
expectTypeOf<EventData<typeof event>>().toEqualTypeOf<{ bookId: string; at: string }>();
expectTypeOf<EventPayload<typeof event>>().toEqualTypeOf<{ bookId: string; at: Date }>();
// @ts-expect-error a bigint
defineEvent("e", { data: type({ size: "bigint" }) });
// @ts-expect-error an event's data is an object
defineEvent("e", { data: type("string[]") });

expectTypeOf(task).toExtend<TaskContract>();
expectTypeOf(event).toExtend<EventContract>();
