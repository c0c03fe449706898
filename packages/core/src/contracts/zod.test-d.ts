import { expectTypeOf } from "vitest";
import { z } from "zod";
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

// Objects, arrays, tuples, unions, optional properties, defaults and transforms, with no annotation.
const when = z.string().transform((text) => new Date(text));
const task = defineTask("book.import", {
  input: z.object({
    id: z.string(),
    pages: z.array(z.object({ text: z.string(), note: z.string().optional() })),
    size: z.tuple([z.number(), z.number()]),
    source: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("url"), url: z.string() }),
      z.object({ kind: z.literal("file"), path: z.string().nullable() }),
    ]),
    limit: z.number().default(10),
    since: when,
  }),
  output: z.object({ chapters: z.int(), finishedAt: when }),
});

expectTypeOf<TaskInput<typeof task>>().toEqualTypeOf<{
  id: string;
  pages: { text: string; note?: string | undefined }[];
  size: [number, number];
  source: { kind: "url"; url: string } | { kind: "file"; path: string | null };
  limit?: number | undefined;
  since: string;
}>();
expectTypeOf<TaskParams<typeof task>>().toEqualTypeOf<{
  id: string;
  pages: { text: string; note?: string | undefined }[];
  size: [number, number];
  source: { kind: "url"; url: string } | { kind: "file"; path: string | null };
  limit: number;
  since: Date;
}>();
expectTypeOf<TaskReturn<typeof task>>().toEqualTypeOf<{ chapters: number; finishedAt: string }>();
expectTypeOf<TaskResult<typeof task>>().toEqualTypeOf<{ chapters: number; finishedAt: Date }>();

// Without an output there is no result.
const silent = defineTask("book.touch", { input: z.object({ id: z.string() }) });
expectTypeOf<TaskReturn<typeof silent>>().toEqualTypeOf<void>();
expectTypeOf<TaskResult<typeof silent>>().toEqualTypeOf<undefined>();

// Results may be absent, inputs of any JSON.
const maybe = defineTask("book.find", { input: z.json(), output: z.object({ id: z.string() }).optional() });
expectTypeOf<TaskReturn<typeof maybe>>().toEqualTypeOf<{ id: string } | undefined>();
expectTypeOf(defineTask("t", { input: z.null(), output: z.void() }).kind).toEqualTypeOf<"task">();

// A codec is encoded by its caller: its input is what is sent.
const codec = defineTask("book.expire", {
  input: z.object({
    at: z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() }),
  }),
});
expectTypeOf<TaskInput<typeof codec>>().toEqualTypeOf<{ at: string }>();
expectTypeOf<TaskParams<typeof codec>>().toEqualTypeOf<{ at: Date }>();

// What the compiler can't know passes and is checked when it is sent.
defineTask("t", { input: z.unknown(), output: z.any() });
defineTask("t", { input: z.record(z.string(), z.unknown()) });
defineTask("t", { input: z.object({ deep: z.record(z.string(), z.array(z.any())) }) });

// Recursive, branded, enumerated, intersected, read-only.
const Tree = z.object({
  name: z.string().brand<"Name">(),
  colour: z.enum(["red", "green"]),
  get children() {
    return z.array(Tree);
  },
});
const recursive = defineTask("tree.walk", { input: Tree.readonly(), output: Tree.and(z.object({ size: z.number() })) });
expectTypeOf<TaskInput<typeof recursive>["children"][number]["colour"]>().toEqualTypeOf<"red" | "green">();

// What does not survive JSON is refused where it is sent: on the way in, the input type counts.
// @ts-expect-error a Date
defineTask("t", { input: z.object({ at: z.date() }) });
// @ts-expect-error a Date in an array in an optional property
defineTask("t", { input: z.object({ list: z.array(z.object({ at: z.date() })).optional() }) });
// @ts-expect-error a Date as a part of a union
defineTask("t", { input: z.object({ at: z.union([z.string(), z.date()]) }) });
// @ts-expect-error a Date in a record
defineTask("t", { input: z.record(z.string(), z.date()) });
// @ts-expect-error a whole Date
defineTask("t", { input: z.date() });
// @ts-expect-error a bigint
defineTask("t", { input: z.object({ size: z.bigint() }) });
// @ts-expect-error a Map
defineTask("t", { input: z.object({ map: z.map(z.string(), z.string()) }) });
// @ts-expect-error a Set
defineTask("t", { input: z.object({ set: z.set(z.string()) }) });
// @ts-expect-error a symbol
defineTask("t", { input: z.object({ symbol: z.symbol() }) });
// @ts-expect-error a function
defineTask("t", { input: z.object({ call: z.custom<() => void>() }) });
// @ts-expect-error undefined in an array becomes null
defineTask("t", { input: z.object({ list: z.array(z.string().optional()) }) });
// @ts-expect-error undefined as a whole
defineTask("t", { input: z.object({ id: z.string() }).optional() });
// @ts-expect-error an instance with methods
defineTask("t", { input: z.object({ url: z.instanceof(URL) }) });
// @ts-expect-error binary data
defineTask("t", { input: z.object({ bytes: z.instanceof(Uint8Array) }) });
// @ts-expect-error the handler would return a Date
defineTask("t", { input: z.object({}), output: z.object({ at: z.date() }) });
// @ts-expect-error z.coerce.date() takes a Date among others, but says unknown only when told so
defineCommand("c", { input: z.object({ at: z.coerce.date<Date>() }) });
// A transform that makes a Date is fine in a result: the handler returns the text.
defineTask("t", { input: z.object({}), output: z.object({ at: when }) });

// Commands.
const command = defineCommand("mail.send", { input: z.object({ to: z.string(), at: when }) });
expectTypeOf<CommandInput<typeof command>>().toEqualTypeOf<{ to: string; at: string }>();
expectTypeOf<CommandParams<typeof command>>().toEqualTypeOf<{ to: string; at: Date }>();

// Events: with a schema, and without.
const event = defineEvent("book.summarised", { version: "1.2", data: z.object({ bookId: z.string(), at: when }) });
expectTypeOf<EventData<typeof event>>().toEqualTypeOf<{ bookId: string; at: string }>();
expectTypeOf<EventPayload<typeof event>>().toEqualTypeOf<{ bookId: string; at: Date }>();
const plain = defineEvent("book.opened");
expectTypeOf(plain).toEqualTypeOf<EventContract<undefined>>();
expectTypeOf<{ bookId: string; tags: string[] }>().toExtend<EventData<typeof plain>>();
expectTypeOf<{ at: Date }>().not.toExtend<EventData<typeof plain>>();
defineEvent("e", { data: z.unknown() });
// @ts-expect-error a Date
defineEvent("e", { data: z.object({ at: z.date() }) });
// @ts-expect-error an event's data is an object
defineEvent("e", { data: z.array(z.string()) });
// @ts-expect-error an event's data is an object
defineEvent("e", { data: z.string() });

// Contracts of all kinds of schemas fit where any contract is wanted; their types are then unknown.
const any: TaskContract = task;
expectTypeOf<TaskInput<typeof any>>().toEqualTypeOf<unknown>();
expectTypeOf<TaskReturn<typeof any>>().toEqualTypeOf<unknown>();
expectTypeOf<TaskResult<typeof any>>().toEqualTypeOf<unknown>();
expectTypeOf(silent).toExtend<TaskContract>();
expectTypeOf(event).toExtend<EventContract>();
expectTypeOf(plain).toExtend<EventContract>();

// @ts-expect-error the input is required
defineTask("t", {});
// @ts-expect-error not a schema
defineTask("t", { input: { id: "string" } });
