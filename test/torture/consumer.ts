// A worker or a replica of a listener: handles messages, and notes each before its handler returns.
import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { command, event, idOf, listening } from "./contracts.ts";
import { LedgerWriter } from "./ledger.ts";
import { behaviourOf } from "./plan.ts";
import { appOf, settings } from "./process.ts";

const told = settings();
const ledger = new LedgerWriter(told.ledger);
const app = await appOf(told);

async function handle(message: { seed: number; index: number }, context: { id: string; attempt: number }) {
  const { seed, index } = message;
  if (seed !== told.seed || context.id !== idOf(seed, index)) return ledger.write("handled", -1);
  const { failures, takesMs } = behaviourOf(seed, index);
  if (takesMs > 0) await sleep(takesMs);
  if (context.attempt <= failures) {
    ledger.write("failed", index);
    throw new Error("fails on purpose");
  }
  ledger.write("handled", index);
}

if (told.kind === "commands") app.handle(command, handle);
else app.on(event, { listener: told.group, ...listening }, ({ data }, context) => handle(data, context));

process.on("SIGTERM", async () => {
  const { unfinished } = await app.stop();
  process.exit(unfinished.length);
});
await app.start();
process.send?.("ready");
// For the next one: it may be killed, and would leave nothing.
flushCompileCache();
