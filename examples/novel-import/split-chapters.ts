import type { Chapter } from "./book.ts";
import { findHeadings } from "./find-headings.ts";
import { type Heading, readHeading, tidyTitle } from "./headings.ts";
import { cutIntoParts, cutLongText } from "./parts.ts";

/** Text before the first chapter that is worth keeping. */
const LEAST_FRONT_MATTER = 600;
/** More than this before the first heading is the book itself. */
const LONGEST_FRONT_MATTER = 40_000;
const LONGEST_TITLE = 90;
const LONGEST_PART_TITLE = 300;

interface Section {
  readonly heading: Heading;
  readonly body: string;
}

/**
 * Splits a book into chapters by its headings: "CHAPTER I", "Chapter 1. Title", "XIV", "Prologue", "第三章". Entries of a table of contents,
 * running page headings and mentions in the text make no chapters. A text without headings is cut into parts of some paragraphs each.
 * Nothing of the story is lost: text before the first heading is kept as front matter.
 */
export function splitChapters(text: string): Chapter[] {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/\f/g, "\n")
    .split("\n");
  const headings = findHeadings(lines);
  if (headings.length === 0) return cutIntoParts(lines.join("\n"));
  const front = frontMatter(lines.slice(0, headings[0]?.line));
  const sections = nameByParts(toSections(lines, headings));
  const chapters = sections.flatMap(({ heading, body }) => {
    const { label, number, title } = heading;
    return cutLongText(body).map((text, at) => ({
      label: at === 0 ? label : `${label} (continued ${at})`,
      number: at === 0 ? number : undefined,
      title,
      text,
    }));
  });
  return [...front, ...chapters].map((chapter, index) => ({ position: index + 1, ...chapter }));
}

function toSections(lines: readonly string[], headings: readonly Heading[]): Section[] {
  return headings.map((heading, at) => {
    const end = headings[at + 1]?.line ?? lines.length;
    const { title, from } = titleBelow(lines, heading, end);
    return { heading: { ...heading, title }, body: tidyBody(lines.slice(from, end)) };
  });
}

/** A chapter's title may stand on a line or paragraph of its own below its number. */
function titleBelow(lines: readonly string[], heading: Heading, end: number): { title: string; from: number } {
  let from = heading.line + 1;
  while (from < end && lines[from]?.trim() === "") from++;
  if (heading.title !== "") return { title: heading.title, from: heading.line + 1 };
  const until = lines.findIndex((line, at) => at >= from && line.trim() === "");
  const paragraph = lines.slice(from, until === -1 ? end : Math.min(until, end)).map((line) => line.trim());
  const text = paragraph.join(" ").replaceAll("_", "");
  const isFollowed = until !== -1 && lines.slice(until, end).some((line) => line.trim() !== "");
  const looksLikeTitle =
    isFollowed &&
    paragraph.length <= 2 &&
    text.length <= LONGEST_TITLE &&
    /^[\p{Lu}\p{Lo}\d“"_*]/u.test(text) &&
    !/[,;:]$/.test(text);
  // "Call me Ishmael." is short too: a title is in capitals, has no full stop, or stands on the very next line.
  const isSentence = /[.!?]["”]?$/.test(text) || /^["“]/.test(text);
  const reads = isCapitals(text) || !isSentence || (from === heading.line + 1 && isTitleCase(text));
  if (looksLikeTitle && reads) return { title: tidyTitle(text), from: until };
  return { title: "", from };
}

function isCapitals(text: string): boolean {
  return /\p{Lu}/u.test(text) && !/\p{Ll}/u.test(text);
}

function isTitleCase(text: string): boolean {
  const words = text.match(/\p{L}{4,}/gu) ?? [];
  return words.length > 1 && words.every((word) => /^\p{Lu}/u.test(word));
}

function tidyBody(lines: readonly string[]): string {
  return lines
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** A heading without text only holds what follows. Numbered chapters of a part carry its name, since numbers may start again. */
function nameByParts(sections: readonly Section[]): Section[] {
  const named: Section[] = [];
  let part: Heading | undefined;
  for (const { heading, body } of sections) {
    if (heading.kind === "part") part = heading;
    const isPartTitle = heading.kind === "part" && body.length <= LONGEST_PART_TITLE;
    if (body === "" || (isPartTitle && sections.length > 1)) continue;
    const belongs = part !== undefined && heading.kind !== "part" && heading.number !== undefined;
    named.push({ heading: belongs ? { ...heading, label: `${part?.label}, ${heading.label}` } : heading, body });
  }
  return named;
}

/** What stands before the first chapter, from its first paragraph of prose on, if it is more than a title page. */
function frontMatter(lines: readonly string[]): Omit<Chapter, "position">[] {
  const blocks = tidyBody(lines.filter((line, index) => readHeading(line, index) === undefined)).split("\n\n");
  const first = blocks.findIndex(isProse);
  if (first === -1 || blocks.filter(isProse).join("").length < LEAST_FRONT_MATTER) return [];
  const text = blocks.slice(first).join("\n\n");
  if (text.length > LONGEST_FRONT_MATTER) return cutIntoParts(text).map(({ position, ...part }) => part);
  return [{ label: "Front matter", title: "", text }];
}

function isProse(paragraph: string): boolean {
  return paragraph.length > 120 && /[.!?。！？]["”]?$/.test(paragraph.trim());
}
