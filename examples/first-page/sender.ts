// anywhere else: a sender needs no start
import { bookSummarised, summarise } from "./contracts.ts";
import { app } from "./worker.ts"; // in one process over memory:; elsewhere, an app of its own

const task = await app.submit(summarise, { chapterId: "42" });

for await (const entry of task.stream()) {
  if ("gap" in entry) console.log("trimmed", entry.gap);
  else console.log(entry.sequence, entry.name, entry.data);
}

const { summary } = await task.result({ timeoutMs: 60_000 });
console.log(summary);

await app.publish(bookSummarised, { bookId: "moby-dick" });
await app.stop();
