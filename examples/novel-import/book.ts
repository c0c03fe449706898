/** One part of a book: a chapter, a prologue, an epilogue, front matter. */
export interface Chapter {
  /** Position in the book, from 1. */
  readonly position: number;
  /** What the book calls it: "Chapter 42", "Epilogue", "第十二章". */
  readonly label: string;
  /** The number in the label as the book counts, in digits, where it has one. */
  readonly number?: string | undefined;
  /** Empty where it has none. */
  readonly title: string;
  /** Paragraphs separated by blank lines. Never empty. */
  readonly text: string;
}

export interface Book {
  readonly title: string;
  readonly author?: string | undefined;
  readonly chapters: readonly Chapter[];
}

/** How a chapter is named in lists and messages: "Chapter 42 · The Whiteness of The Whale". */
export function nameOf(chapter: Pick<Chapter, "label" | "title">): string {
  return chapter.title === "" ? chapter.label : `${chapter.label} · ${chapter.title}`;
}

/** The chapter that a person means by "42", "epilogue" or "Chapter 42": by the book's own count first, else by position. */
export function findChapter(book: Book, wanted: string): Chapter | undefined {
  const asked = wanted.trim().toLowerCase();
  const { chapters } = book;
  return (
    chapters.find(({ number }) => number === asked) ??
    chapters.find(({ label, title }) => [label, title].some((name) => name.toLowerCase() === asked)) ??
    chapters.find(({ position }) => String(position) === asked)
  );
}

export function countWords(text: string): number {
  // Han characters stand for a word each: close enough for a statistic.
  return text.match(/\p{Script=Han}|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
}
