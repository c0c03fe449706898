// Sends or publishes every message until the broker has acknowledged it: what was refused or unknown again, with the same id.
import { setTimeout as sleep } from "node:timers/promises";
import { isIntermodalError } from "@intermodal/core";
import { command, event, idOf } from "./contracts.ts";
import { LedgerWriter } from "./ledger.ts";
import { appOf, settings } from "./process.ts";

/** Sendings under way at once. */
const WINDOW = 512;
const PAUSE_MS = 200;

const { seed, kind, messages, ...rest } = settings();
const ledger = new LedgerWriter(rest.ledger);
const app = await appOf(rest);
let next = 0;

async function deliver(index: number): Promise<void> {
  const message = { seed, index };
  const id = idOf(seed, index);
  for (;;) {
    try {
      await (kind === "commands" ? app.send(command, message, { id }) : app.publish(event, message, { id }));
      ledger.write("acknowledged", index);
      return;
    } catch (error) {
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
      ledger.write(error.unknown ? "unknown" : "refused", index);
      await sleep(PAUSE_MS);
    }
  }
}

async function lane(): Promise<void> {
  while (next < messages) await deliver(next++);
}

await Promise.all(Array.from({ length: WINDOW }, lane));
await app.stop();
process.exit(0);
