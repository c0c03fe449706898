// Follows one run from another process than those that write it, and tells what it reads.
import { settings, tell } from "../../faults/parent.ts";
import { storeAppAt } from "./apps.ts";
import { work } from "./contracts.ts";
import type { Read, ReaderSettings } from "./reader-process.ts";

const told = settings<ReaderSettings>();
const app = await storeAppAt(told);
for await (const entry of app.task(work, told.id).stream()) await tell({ entry } satisfies Read);
await tell({ over: true } satisfies Read);
await app.stop();
