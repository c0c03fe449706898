import { type App, isIntermodalError, NonRetryableError, TaskFailedError } from "@intermodal/core";
import { assert, equal, fail, rejects } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { happened, probe, step } from "./contracts.ts";
import { scene } from "./scene.ts";
import { lifecycleCase } from "./world.ts";

export const failedStepCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "failed-step",
    guarantees: ["LC-12"],
    title: "a failed step stops its workflow: its error reaches the caller, nothing after it is done",
    async run(world, t) {
      const ran: string[] = [];
      const heard: number[] = [];
      let seen: unknown;
      const serve = (app: App) => {
        app.handle(step, ({ n }, ctx) => {
          ran.push(ctx.id);
          if (n === 2) throw new NonRetryableError("the second step is bad");
          return n;
        });
        app.handle(probe, async ({ n }, ctx) => {
          try {
            for (const key of ["1", "2", "3"]) await ctx.call(step, { n: Number(key) }, { key });
          } catch (error) {
            seen = error;
            throw error;
          }
          await ctx.publish(happened, { n });
          return n;
        });
        app.on(happened, { listener: "completions" }, ({ data }) => heard.push(data.n));
      };
      const { client, until, observer } = await scene(world, serve);
      const task = await client.submit(probe, { n: 7 });
      const ended = await until(task.id, "FAILED");
      const caught = seen instanceof TaskFailedError ? seen : fail(`ctx.call rejected with ${String(seen)}`);
      equal([caught.taskId, caught.status], [`${task.id}/2`, "FAILED"], "what ctx.call rejects with");
      equal((caught.cause as Error).message, "the second step is bad", "its cause");
      equal(ended.error?.code, "TASK_FAILED", "the code of the workflow's error");
      const failure = await rejects("result()", "TASK_FAILED", task.result());
      for (const error of [failure, failure.cause as Error])
        assert(
          error.message.includes("the second step is bad"),
          `the error does not tell the reason: ${error.message}`,
        );
      assert(isIntermodalError(failure, "TASK_FAILED"), "what result() rejects with");
      await observer.untilAtRest();
      await t.sleep(1_000);
      equal(ran, [`${task.id}/1`, `${task.id}/2`], "the steps that ran");
      equal(heard, [], "completion events");
    },
  }),
];
