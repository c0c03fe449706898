import { expectTypeOf } from "vitest";
import { z } from "zod";
import {
  createApp,
  defineCommand,
  defineEvent,
  defineHandler,
  defineListener,
  defineSchedule,
  defineTask,
} from "../index.ts";
import type { RunEntry } from "../run-stream/follow-run.ts";
import { createTestApp } from "../testing/index.ts";

// All types flow from the contract: nothing below is annotated.
const date = z.iso.datetime().transform((text) => new Date(text));
const visit = defineTask("visit", {
  input: z.object({ at: date, guests: z.string().transform(Number) }),
  output: z.object({ until: date }),
});
const clean = defineTask("clean", { input: z.object({ room: z.number() }) });
const ring = defineCommand("ring", { input: z.object({ times: z.string().transform(Number) }) });
const visited = defineEvent("visited", { data: z.object({ at: date }) });
const anything = defineEvent("anything");
const app = createApp({ name: "types", url: "memory:" });

app.handle(visit, async (params, ctx) => {
  expectTypeOf(params).toEqualTypeOf<{ at: Date; guests: number }>();
  expectTypeOf(await ctx.call(visit, { at: "", guests: "" })).toEqualTypeOf<{ until: Date }>();
  expectTypeOf(await ctx.call(clean, { room: 1 })).toEqualTypeOf<undefined>();
  const step = await ctx.submit(visit, { at: "", guests: "" });
  expectTypeOf(await step.result()).toEqualTypeOf<{ until: Date }>();
  await ctx.publish(visited, { at: "" });
  await ctx.send(ring, { times: "" });
  // @ts-expect-error the event's input is text
  await ctx.publish(visited, { at: new Date() });
  // @ts-expect-error the sub-task's input is text
  await ctx.call(visit, { at: new Date(), guests: "" });
  // The result before its transform, as it is stored.
  return { until: "" };
});
app.handle(clean, ({ room }) => {
  expectTypeOf(room).toBeNumber();
});
app.handle(ring, (params) => {
  expectTypeOf(params).toEqualTypeOf<{ times: number }>();
});
app.on(visited, { listener: "a" }, (event, ctx) => {
  expectTypeOf(event.data).toEqualTypeOf<{ at: Date }>();
  expectTypeOf(ctx.submit(visit, { at: "", guests: "" })).resolves.toHaveProperty("stream");
});
app.on(anything, { listener: "b" }, ({ data }) => {
  expectTypeOf(data).not.toBeAny();
});
app.register(
  defineHandler(visit, ({ at }) => ({ until: at.toISOString() })),
  defineListener(visited, { listener: "c" }, ({ data }) => expectTypeOf(data.at).toEqualTypeOf<Date>()),
);

// @ts-expect-error a handler returns what its contract says
app.handle(visit, () => ({ until: new Date() }));
// @ts-expect-error a handler of a task with a result returns one
app.handle(visit, () => {});
// @ts-expect-error a task without an output has no result
app.handle(clean, () => "clean");

const task = await app.submit(visit, { at: "", guests: "" }, { userId: "u", delayMs: 1, expiresMs: 1, defer: true });
expectTypeOf(await task.result()).toEqualTypeOf<{ until: Date }>();
expectTypeOf(await app.task(clean, "id").result()).toEqualTypeOf<undefined>();
// @ts-expect-error what is sent is text
await app.submit(visit, { at: new Date(), guests: "" });
// @ts-expect-error a part is missing
await app.submit(visit, { at: "" });
// @ts-expect-error a command is sent, not submitted
await app.submit(ring, { times: "" });
// @ts-expect-error a task is submitted, not sent
await app.send(clean, { room: 1 });
// @ts-expect-error the data is text
await app.publish(visited, { at: 1 });
// @ts-expect-error a replay takes the same input
await task.replay({ input: { at: 1 } });

expectTypeOf(
  app.schedule(visit, { name: "s", cron: "@daily", timezone: "UTC", input: { at: "", guests: "" } }).name,
).toBeString();
app.register(defineSchedule(clean, { name: "s", everyMs: 1_000, input: { room: 1 } }));
expectTypeOf(app.schedules.register(clean, { name: "s", at: new Date(), input: { room: 1 } })).resolves.toHaveProperty(
  "pause",
);
// @ts-expect-error the input is the task's
app.schedule(clean, { name: "s", everyMs: 1_000, input: { room: "1" } });
// @ts-expect-error a command is no task
app.schedule(ring, { name: "s", everyMs: 1_000, input: { times: "" } });
// @ts-expect-error one of cron, everyMs and at
app.schedule(clean, { name: "s", everyMs: 1_000, at: 5, input: { room: 1 } });
// @ts-expect-error a time zone is of a cron expression
app.schedule(clean, { name: "s", everyMs: 1_000, timezone: "UTC", input: { room: 1 } });
// @ts-expect-error when is missing
app.schedule(clean, { name: "s", input: { room: 1 } });

const { sent, published } = createTestApp();
expectTypeOf(sent(visit)).toEqualTypeOf<readonly { at: string; guests: string }[]>();
expectTypeOf(sent(ring)).toEqualTypeOf<readonly { times: string }[]>();
expectTypeOf(published(visited)).toEqualTypeOf<readonly { at: string }[]>();

app.lifecycle.on("retrying", ({ delayMs, error }) => {
  expectTypeOf(delayMs).toBeNumber();
  expectTypeOf(error.message).toBeString();
});

for await (const entry of app.task(visit, "1").stream<{ arrived: { guests: number } }>()) {
  if ("gap" in entry) expectTypeOf(entry.gap.from).toBeNumber();
  else if (entry.name === "arrived") expectTypeOf(entry.data).toEqualTypeOf<{ guests: number }>();
  else if (entry.name === "lifecycle.failed") expectTypeOf(entry.data.error).toEqualTypeOf<string | null>();
}
for await (const entry of app.task(visit, "1").stream()) expectTypeOf(entry).toEqualTypeOf<RunEntry>();
