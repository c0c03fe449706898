import { type App, NonRetryableError, type RunEntry, type TerminalStatus } from "@intermodal/core";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe, step } from "./contracts.ts";
import { untilAborted } from "./crash-scenarios.ts";
import { Gate } from "./gate.ts";
import { follow } from "./observer.ts";
import { once, scene } from "./scene.ts";
import { lifecycleCase, RECOVERY_MS } from "./world.ts";

const GUARANTEES = ["LC-16"];

const ENDS: readonly TerminalStatus[] = ["COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCELLED", "DEAD_LETTER"];

const TERMINAL = ["lifecycle.completed", "lifecycle.failed"];

function namesOf(entries: readonly RunEntry[]): readonly string[] {
  return entries.map((entry) => ("gap" in entry ? "gap" : entry.name));
}

/** A run that ends as it is told to, after it has passed the gate. */
const serving = (gate: Gate, status: TerminalStatus) => (app: App) => {
  app.handle(step, () => {
    throw new NonRetryableError("on purpose");
  });
  app.handle(once, async ({ n }, ctx) => {
    ctx.emit("note", { n });
    await gate.pass();
    if (status === "COMPLETED_WITH_ERRORS") await ctx.submit(step, { n });
    if (status === "FAILED") throw new NonRetryableError("on purpose");
    if (status === "DEAD_LETTER") throw new Error("on purpose");
    return status === "CANCELLED" ? untilAborted(ctx.signal) : n;
  });
};

export const runStreamCases: readonly ConformanceCase[] = [
  ...ENDS.map((status) =>
    lifecycleCase({
      name: `run-stream-${status.toLowerCase().replaceAll("_", "-")}`,
      guarantees: GUARANTEES,
      title: `the stream of a run that ends as ${status} has one terminal event, the last, that says so, and its followers end`,
      async run(world, t) {
        const gate = new Gate();
        const { client, until, observer } = await scene(world, serving(gate, status));
        const { id } = await client.submit(once, { n: 1 }, { delayMs: 300 });
        const followers = [follow(client, id)];
        await t.until("the handler runs", () => gate.came === 1);
        followers.push(follow(client, id));
        gate.open();
        if (status === "CANCELLED") await client.tasks.cancel(id);
        const ended = await until(id, status);
        await observer.untilAtRest();
        followers.push(follow(client, id));
        const over = () => followers.every((each) => each.ended() || each.failure() !== undefined);
        await t.until("the followers end", over, { withinMs: RECOVERY_MS });
        await observer.assertEndedStream(ended);
        const { events } = await observer.read(ended);
        const names = events.map(({ event }) => event);
        equal(names[0], "lifecycle.started", "the first event");
        assert(names.includes("note"), "the handler's event is missing");
        for (const { entries, failure } of followers) {
          equal(failure(), undefined, "the follower's error");
          equal(namesOf(entries), names, "what a follower gets");
        }
      },
    }),
  ),

  lifecycleCase({
    name: "run-stream-family",
    guarantees: GUARANTEES,
    title: "a run's stream tells of its sub-tasks, in order, and ends with the root",
    async run(world) {
      const serve = (app: App) => {
        app.handle(step, ({ n }, ctx) => {
          ctx.emit("note", { n });
          return n;
        });
        app.handle(probe, ({ n }, ctx) => ctx.call(step, { n }, { key: "a" }));
      };
      const { client, observer } = await scene(world, serve);
      const task = await client.submit(probe, { n: 1 });
      const told: string[] = [];
      for await (const entry of task.stream()) {
        if (!("gap" in entry)) told.push(`${entry.source === task.id ? "root" : entry.source} ${entry.name}`);
      }
      const child = `${task.id}/a`;
      const expected = ["root lifecycle.started", `${child} task.started`, `${child} note`, `${child} task.completed`];
      equal(told, [...expected, "root lifecycle.completed"], "the run's events");
      await observer.untilAtRest();
    },
  }),

  lifecycleCase({
    name: "run-stream-replay",
    guarantees: ["LC-16", "LC-15"],
    title: "a replay has a stream of its own that ends too; the earlier one stays as it was",
    async run(world, t) {
      let mended = false;
      const serve = (app: App) =>
        app.handle(once, ({ n }, ctx) => {
          ctx.emit("note", { mended });
          if (!mended) throw new NonRetryableError("broken");
          return n;
        });
      const { client, until, observer } = await scene(world, serve);
      const task = await client.submit(once, { n: 1 });
      const first = await until(task.id, "FAILED");
      await observer.untilAtRest();
      const before = await observer.read(first);
      mended = true;
      await task.replay();
      const follower = follow(client, task.id);
      const second = await until(task.id, "COMPLETED");
      await observer.untilAtRest();
      await t.until("the follower ends", () => follower.ended(), { withinMs: RECOVERY_MS });
      assert(first.streamId !== second.streamId, "both series have one stream");
      equal(namesOf(follower.entries), ["lifecycle.started", "note", TERMINAL[0]], "what its follower gets");
      await observer.assertEndedStream(second);
      await observer.assertEndedStream(first);
      equal(await observer.read(first), before, "the first stream");
    },
  }),
];
