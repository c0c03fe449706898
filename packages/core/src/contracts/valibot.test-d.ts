import * as v from "valibot";
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

const when = v.pipe(
  v.string(),
  v.transform((text) => new Date(text)),
);
const task = defineTask("book.import", {
  input: v.object({
    id: v.string(),
    pages: v.array(v.object({ text: v.string(), note: v.optional(v.string()) })),
    size: v.tuple([v.number(), v.number()]),
    source: v.variant("kind", [
      v.object({ kind: v.literal("url"), url: v.string() }),
      v.object({ kind: v.literal("file"), path: v.nullable(v.string()) }),
    ]),
    limit: v.optional(v.number(), 10),
    since: when,
  }),
  output: v.object({ chapters: v.number(), finishedAt: when }),
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

const silent = defineTask("book.touch", { input: v.object({ id: v.string() }) });
expectTypeOf<TaskReturn<typeof silent>>().toEqualTypeOf<void>();
expectTypeOf<TaskResult<typeof silent>>().toEqualTypeOf<undefined>();

defineTask("t", { input: v.unknown(), output: v.any() });
defineTask("t", { input: v.record(v.string(), v.unknown()), output: v.optional(v.picklist(["a", "b"])) });

// @ts-expect-error a Date
defineTask("t", { input: v.object({ at: v.date() }) });
// @ts-expect-error a Date as a part of a union in an array
defineTask("t", { input: v.object({ list: v.array(v.union([v.string(), v.date()])) }) });
// @ts-expect-error a bigint
defineTask("t", { input: v.object({ size: v.optional(v.bigint()) }) });
// @ts-expect-error a Map
defineTask("t", { input: v.object({ map: v.map(v.string(), v.string()) }) });
// @ts-expect-error a Set
defineTask("t", { input: v.object({ set: v.set(v.string()) }) });
// @ts-expect-error undefined in an array becomes null
defineTask("t", { input: v.object({ list: v.array(v.optional(v.string())) }) });
// @ts-expect-error a function
defineTask("t", { input: v.object({ call: v.function() }) });
// @ts-expect-error binary data
defineTask("t", { input: v.object({ file: v.blob() }) });
// @ts-expect-error the handler would return a Date
defineTask("t", { input: v.object({}), output: v.date() });

const command = defineCommand("mail.send", { input: v.object({ to: v.string(), at: when }) });
expectTypeOf<CommandInput<typeof command>>().toEqualTypeOf<{ to: string; at: string }>();
expectTypeOf<CommandParams<typeof command>>().toEqualTypeOf<{ to: string; at: Date }>();
// @ts-expect-error a Date
defineCommand("c", { input: v.object({ at: v.date() }) });

const event = defineEvent("book.summarised", { data: v.object({ bookId: v.string(), at: when }) });
expectTypeOf<EventData<typeof event>>().toEqualTypeOf<{ bookId: string; at: string }>();
expectTypeOf<EventPayload<typeof event>>().toEqualTypeOf<{ bookId: string; at: Date }>();
// @ts-expect-error a bigint
defineEvent("e", { data: v.object({ size: v.bigint() }) });
// @ts-expect-error an event's data is an object
defineEvent("e", { data: v.array(v.string()) });

expectTypeOf(task).toExtend<TaskContract>();
expectTypeOf(event).toExtend<EventContract>();
