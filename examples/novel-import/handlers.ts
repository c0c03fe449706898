import { type App, RetryAfterError, type TaskContext } from "@intermodal/core";
import { z } from "zod";
import type { Chapter } from "./book.ts";
import { incompleteChapters, type Piece, toCompanion } from "./companion.ts";
import {
  batchGenerateScene,
  batchGenerateSummary,
  generateScene,
  generateSummary,
  importNovel,
  novelImported,
} from "./contracts.ts";
import type { Library } from "./library.ts";
import { renderCompanion } from "./markdown.ts";
import { type Model, ModelBusyError } from "./model.ts";
import { writeWhole } from "./output.ts";

const SENTENCES = 3;

/** What the handlers work with. */
export interface Tools {
  readonly model: Model;
  readonly library: Library;
}

/** Only orchestration stands here; what the work is, is in functions that know nothing of the SDK. */
export function registerHandlers(app: App, { model, library }: Tools): void {
  app.handle(generateSummary, async ({ position, text }, { signal }) => {
    const summary = await comeBackWhenBusy(() => model.summarise(text, { sentences: SENTENCES, signal }));
    return { position, summary };
  });

  app.handle(generateScene, async ({ position, text }, { signal }) => {
    const scene = await comeBackWhenBusy(() => model.describeScene(text, { signal }));
    return { position, scene };
  });

  app.handle(batchGenerateSummary, async ({ source }, ctx) => {
    const { chapters } = await library.load(source);
    await submitEach(generateSummary, chapters, ctx);
    return { batchId: ctx.id };
  });

  app.handle(batchGenerateScene, async ({ source }, ctx) => {
    const { chapters } = await library.load(source);
    await submitEach(generateScene, chapters, ctx);
    return { batchId: ctx.id };
  });

  app.handle(importNovel, async ({ source, file }, ctx) => {
    const book = await library.load(source);
    const [summaries, scenes] = await Promise.all([
      ctx.call(batchGenerateSummary, { source }),
      ctx.call(batchGenerateScene, { source }),
    ]);
    const companion = toCompanion(
      book,
      await piecesOf(app, summaries.batchId, (result) => generateSummary.output.parse(result)),
      await piecesOf(app, scenes.batchId, (result) => generateScene.output.parse(result)),
    );
    await writeWhole(file, renderCompanion(companion));
    const { title, author, chapters } = book;
    const { words, retries, failed } = companion;
    const incomplete = incompleteChapters(companion);
    await ctx.publish(novelImported, {
      importId: ctx.runId,
      title,
      author,
      chapters: chapters.length,
      words,
      file,
      incomplete,
    });
    return { file, chapters: chapters.length, retries, failed, incomplete };
  });
}

/** One sub-task for each chapter. A batch that runs again finds those that it has made by their keys. */
async function submitEach(
  contract: typeof generateSummary | typeof generateScene,
  chapters: readonly Chapter[],
  ctx: TaskContext,
): Promise<void> {
  await Promise.all(
    chapters.map(({ position, label, title, text }) =>
      ctx.submit(contract, { position, label, title, text }, { key: `chapter-${position}` }),
    ),
  );
}

/** The model says when it takes calls again: better than any backoff. */
async function comeBackWhenBusy<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ModelBusyError) throw new RetryAfterError(error.retryAfterMs, error.message, { cause: error });
    throw error;
  }
}

const parameters = z.object({ position: z.number() });

/** What the sub-tasks of a batch came to. */
async function piecesOf<Result>(
  app: App,
  parentId: string,
  read: (result: unknown) => Result,
): Promise<Piece<Result>[]> {
  const pieces: Piece<Result>[] = [];
  let cursor: string | undefined;
  do {
    const page = await app.tasks.list({ parentId, cursor });
    for (const task of page.items) {
      pieces.push({
        position: parameters.parse(task.parameters).position,
        result: task.status === "COMPLETED" ? read(task.result) : undefined,
        failure: task.error?.message ?? `it ended as ${task.status}`,
        retries: task.retryCount,
      });
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return pieces;
}
