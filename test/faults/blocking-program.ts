// One process that submits tasks, and whose handlers hold up everything in it, renewals and answers to heartbeats too.
import { setTimeout as sleep } from "node:timers/promises";
import { defineTask, fixed } from "@intermodal/core";
import { z } from "zod";
import { appAt, type Place } from "./apps.ts";
import { settings, tell } from "./parent.ts";

export interface BlockedSettings extends Place {
  readonly tasks: number;
  /** Of deliveries. */
  readonly leaseMs: number;
  readonly blockMs: number;
  readonly taskLeaseMs: number | undefined;
}

export interface BlockedTold {
  /** How each task ended, and what was announced of its end. */
  readonly outcomes: readonly { readonly status: string; readonly announced: readonly string[] }[];
  /** How often the handler of each was started. */
  readonly starts: readonly number[];
  readonly dead: number;
}

const heavy = defineTask("faults.heavy", {
  queue: "faults",
  input: z.object({ n: z.int() }),
  output: z.int(),
  retry: { maxAttempts: 3, backoff: fixed(100) },
});

const told = settings<BlockedSettings>();
const { tasks, leaseMs, blockMs, taskLeaseMs } = told;
const app = await appAt(told, { singleProcess: true, taskLeaseMs });
const starts = new Array<number>(tasks).fill(0);
const announced = starts.map((): string[] => []);

app.handle(heavy, async ({ n }) => {
  starts[n] = (starts[n] ?? 0) + 1;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
  // Whatever became due meanwhile comes first.
  await sleep(10);
  return n;
});
for (const name of ["completed", "failed"] as const)
  app.lifecycle.on(name, ({ taskId }) => announced[Number(taskId)]?.push(name));

await app.start();
const handles = await Promise.all(starts.map((_, n) => app.submit(heavy, { n }, { id: String(n) })));
// However it ends: its status tells.
await Promise.allSettled(handles.map((handle) => handle.result({ timeoutMs: 4 * tasks * blockMs })));
// What would still come again does so within a lease.
await sleep(leaseMs);
const outcomes = await Promise.all(
  handles.map(async (handle, n) => ({ status: (await handle.status()).status, announced: announced[n] ?? [] })),
);
const { items } = await app.deadLetters.list(heavy.queue);
await tell({ outcomes, starts, dead: items.length } satisfies BlockedTold);
