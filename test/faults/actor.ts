// A worker of the queue, or a replica of a listener: does with each message what the message says, and tells.
import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { NonRetryableError } from "@intermodal/core";
import type { ActorSettings, Told } from "./actor-process.ts";
import { appAt } from "./apps.ts";
import { command, event, listening, type Message } from "./contracts.ts";
import { settings, tell } from "./parent.ts";

const told = settings<ActorSettings>();
const app = await appAt(told);
const say = (message: Told) => tell(message);

async function act({ n, acts }: Message, { attempt }: { readonly attempt: number }): Promise<void> {
  const what = acts[Math.min(attempt, acts.length) - 1] ?? "handle";
  await say({ note: "started", n, attempt });
  if (what === "die") process.kill(process.pid, "SIGKILL");
  if (what === "die" || what === "hang") await new Promise<never>(() => {});
  if (what === "throw") throw new Error("fails on purpose");
  if (what === "refuse") throw new NonRetryableError("fails on purpose, for good");
  if (typeof what === "object") await sleep(what.waitMs);
  await say({ note: "handled", n, attempt });
}

if (told.listener === undefined) app.handle(command, act);
else app.on(event, { listener: told.listener, ...listening }, ({ data }, context) => act(data, context));

await app.start();
await say({ note: "ready" });
// For the next one: most of these are killed, and would leave nothing.
flushCompileCache();
