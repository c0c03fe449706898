// A worker: does with each task what its input says, and tells.
import { setTimeout as sleep } from "node:timers/promises";
import { settings, tell } from "../../faults/parent.ts";
import { storeAppAt } from "./apps.ts";
import { work } from "./contracts.ts";
import type { Told, WorkerSettings } from "./worker-process.ts";

const told = settings<WorkerSettings>();
const app = await storeAppAt(told);
const say = (message: Told) => tell(message);

app.handle(work, async ({ n, notes, everyMs, waitMs, endless }, ctx) => {
  const { attempt } = ctx;
  await say({ note: "started", n, attempt });
  for (let note = 1; note <= notes || (endless && attempt === 1); note++) {
    ctx.emit("note", { attempt, note });
    await say({ note: "emitted", n, attempt });
    await sleep(everyMs);
  }
  await sleep(waitMs);
  await say({ note: "handled", n, attempt });
  return { n, by: told.by, attempt };
});
app.lifecycle.on("completed", ({ taskId }) => void say({ note: "completed", id: taskId }));

process.once("SIGTERM", async () => {
  await app.stop();
  await say({ note: "stopped" });
  process.exit(0);
});
await app.start();
await say({ note: "ready" });
