import type { App } from "@intermodal/core";
import { IntermodalError } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { ConformanceCase } from "../case.ts";
import { probe, step } from "./contracts.ts";
import { follow } from "./observer.ts";
import { scene } from "./scene.ts";
import { type AppProcess, GRACE_MS, lifecycleCase, RECOVERY_MS } from "./world.ts";

/** Takes the event stream store away from a process. @returns gives it back. */
function streamAway({ switched }: AppProcess): () => void {
  const { around } = switched;
  switched.around = (call, run) => {
    if (!call.name.startsWith("eventStream.")) return around(call, run);
    return Promise.reject(new IntermodalError("UNAVAILABLE", `${call.name}: the event stream store is away`));
  };
  return () => {
    switched.around = around;
  };
}

const EMITTED = 5;

/** Emits on its way, and has a step. */
const serving = (thrown: unknown[]) => (app: App) => {
  app.handle(step, ({ n }) => 2 * n);
  app.handle(probe, async ({ n }, ctx) => {
    try {
      for (let i = 0; i < EMITTED; i++) ctx.emit("note", { i });
    } catch (error) {
      thrown.push(error);
    }
    return ctx.call(step, { n });
  });
};

export const deadStreamCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "dead-stream",
    guarantees: ["LC-17"],
    title: "tasks complete while the event stream store is away; when it is back, their streams end",
    async run(world, t) {
      const thrown: unknown[] = [];
      const { client, worker, until, observer } = await scene(world, serving(thrown));
      const giveBack = streamAway(worker);
      const { id } = await client.submit(probe, { n: 1 });
      const follower = follow(client, id);
      const ended = await until(id, "COMPLETED");
      equal(ended.result, 2, "its result");
      equal(thrown, [], "what ctx.emit threw");
      await t.sleep(4 * GRACE_MS);
      assert(!(await observer.read(ended)).ended, "the stream has ended while its store was away");
      giveBack();
      await observer.untilAtRest();
      await observer.assertEndedStream(ended);
      await t.until("the follower ends", () => follower.ended(), { withinMs: RECOVERY_MS });
    },
  }),

  lifecycleCase({
    name: "dead-stream-counted",
    guarantees: ["LC-17"],
    title: "events that come too late for their run's stream, which another worker has ended, are counted",
    async run(world, t) {
      const thrown: unknown[] = [];
      const { client, worker, until, observer } = await scene(world, serving(thrown));
      const giveBack = streamAway(worker);
      const { id } = await client.submit(probe, { n: 1 });
      const follower = follow(client, id);
      const ended = await until(id, "COMPLETED");
      await world.worker((app) => serving(thrown)(app));
      await observer.untilAtRest();
      await observer.assertEndedStream(ended);
      await t.until("the follower ends", () => follower.ended(), { withinMs: RECOVERY_MS });
      giveBack();
      // What started, notes and what the step told.
      const lost = async () => (await worker.app.health()).lostRunEvents >= EMITTED + 1;
      await t.until("what was lost is counted", lost, { withinMs: RECOVERY_MS });
      await observer.assertEndedStream(ended);
    },
  }),
];
