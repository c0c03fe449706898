import { type App, defineTask, fixed, type TaskPhase, type TaskStatus } from "@intermodal/core";
import type { TaskRecord } from "@intermodal/core/ports";
import { fail } from "../assert.ts";
import { any } from "./contracts.ts";
import { Observer } from "./observer.ts";
import { type AppProcess, type ProcessOptions, RECOVERY_MS, type World } from "./world.ts";

/** A task with one attempt. */
export const once = defineTask("once", {
  input: any<{ n: number }>(),
  output: any<number>(),
  retry: { maxAttempts: 1, backoff: fixed(0) },
});

/** A worker, a client in another process, and one who looks at both from outside. */
export interface Scene {
  readonly client: App;
  readonly worker: AppProcess;
  readonly observer: Observer;
  /** The record as it is now. */
  record(id: string): Promise<TaskRecord>;
  /** Waits until a task has one of these statuses or phases. @returns its record. */
  until(id: string, ...states: readonly (TaskStatus | TaskPhase)[]): Promise<TaskRecord>;
}

/** @param serve registers what the worker does. */
export async function scene(world: World, serve: (app: App) => void, options: ProcessOptions = {}): Promise<Scene> {
  const { t } = world;
  const { inNamespace } = options;
  const observer = new Observer(t, await world.open(inNamespace));
  const worker = await world.worker(serve, options);
  const { app: client } = await world.process({ inNamespace });
  const record = async (id: string) => (await observer.record(id)) ?? fail(`there is no task ${id}`);
  return {
    client,
    worker,
    observer,
    record,
    async until(id, ...states) {
      const wanted = new Set<string>(states);
      let last: string | undefined;
      const isThere = async () => {
        const found = await observer.record(id);
        last = found?.phase ?? found?.status;
        return last !== undefined && wanted.has(last);
      };
      try {
        await t.until(`${id} becomes ${states.join(" or ")}`, isThere, { withinMs: RECOVERY_MS });
      } catch (error) {
        if (last !== undefined && wanted.has(last)) throw error;
        fail(`${RECOVERY_MS} ms later ${id} is ${last}, not ${states.join(" or ")}`);
      }
      return record(id);
    },
  };
}
