// Follows runs from another process than those that write them, and tells what it reads.
import { settings, tell } from "../../faults/parent.ts";
import { storeAppAt } from "./apps.ts";
import { work } from "./contracts.ts";
import type { Read, ReaderSettings } from "./reader-process.ts";

const { ids, ...place } = settings<ReaderSettings>();
const app = await storeAppAt(place);

async function follow(id: string): Promise<void> {
  for await (const entry of app.task(work, id).stream()) await tell({ id, entry } satisfies Read);
}

await Promise.all(ids.map(follow));
await tell({ over: true } satisfies Read);
await app.stop();
