// worker.ts: handles and listens
import { createApp } from "@intermodal/core";
import { bookSummarised, summarise } from "./contracts.ts";
import { addToIndex, summariseChapter } from "./library.ts"; // plain functions that know nothing of the SDK

export const app = createApp({ name: "library" }); // INTERMODAL_URL, or memory:

app.handle(summarise, async ({ chapterId }, ctx) => {
  ctx.emit("reading", { chapterId });
  return { summary: await summariseChapter(chapterId, ctx.signal) };
});

app.on(bookSummarised, { listener: "search-index" }, async (event) => {
  await addToIndex(event.data.bookId);
});

await app.start();
