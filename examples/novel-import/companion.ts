import { type Book, type Chapter, countWords, nameOf } from "./book.ts";
import type { Scene } from "./scene.ts";

/** What became of one chapter's task. */
export interface Piece<Result> {
  readonly position: number;
  readonly result?: Result | undefined;
  /** Why there is no result. */
  readonly failure?: string | undefined;
  readonly retries: number;
}

export interface CompanionChapter {
  readonly chapter: Chapter;
  readonly words: number;
  readonly summary?: string | undefined;
  readonly scene?: Scene | undefined;
  /** What is missing, and why. */
  readonly missing: readonly string[];
}

/** A book with a summary and a scene for every chapter: what is written in the end. */
export interface Companion {
  readonly book: Book;
  readonly chapters: readonly CompanionChapter[];
  readonly words: number;
  readonly retries: number;
  /** Pieces without a result. */
  readonly failed: number;
}

/** Puts together what the tasks made, in the order of the book. */
export function toCompanion(
  book: Book,
  summaries: readonly Piece<{ readonly summary: string }>[],
  scenes: readonly Piece<{ readonly scene: Scene }>[],
): Companion {
  const summaryOf = new Map(summaries.map((piece) => [piece.position, piece]));
  const sceneOf = new Map(scenes.map((piece) => [piece.position, piece]));
  const chapters = book.chapters.map((chapter) => {
    const summary = summaryOf.get(chapter.position);
    const scene = sceneOf.get(chapter.position);
    return {
      chapter,
      words: countWords(chapter.text),
      summary: summary?.result?.summary,
      scene: scene?.result?.scene,
      missing: [...whyMissing("summary", summary), ...whyMissing("scene", scene)],
    };
  });
  const pieces = [...summaries, ...scenes];
  return {
    book,
    chapters,
    words: chapters.reduce((sum, { words }) => sum + words, 0),
    retries: pieces.reduce((sum, { retries }) => sum + retries, 0),
    failed: chapters.reduce((sum, { missing }) => sum + missing.length, 0),
  };
}

function whyMissing(what: string, piece: Piece<unknown> | undefined): string[] {
  return piece?.result === undefined ? [`no ${what}: ${piece?.failure ?? "its task is not to be found"}`] : [];
}

/** The names of chapters that lack something. */
export function incompleteChapters({ chapters }: Companion): string[] {
  return chapters.filter(({ missing }) => missing.length > 0).map(({ chapter }) => nameOf(chapter));
}
