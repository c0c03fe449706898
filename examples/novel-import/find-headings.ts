import { type Heading, readHeading } from "./headings.ts";
import { findListed } from "./listed-headings.ts";

/** Between two entries of a table of contents there is no more text than this. */
const MOST_BETWEEN_ENTRIES = 400;
/** Bare numerals are chapters only if there is this much text between them: page numbers have less. */
const LEAST_BARE_CHAPTER = 4_000;
/** Numerals that leave out more of the text than this are of something inside of it. */
const LEAST_COVERED = 0.6;
/** What may stand between a part's heading and its first chapter. */
const LONGEST_EPIGRAPH = 1_500;

/** The lines of a book with which its chapters and parts begin. Empty where there are none. */
export function findHeadings(lines: readonly string[]): Heading[] {
  const all = lines.map((line, index) => readHeading(line, index)).filter((heading) => heading !== undefined);
  const named = settle(
    all.filter(({ kind }) => kind !== "bare"),
    lines,
  );
  if (named.some(isNumberedChapter))
    return named.filter((heading, at) => heading.kind !== "part" || opensPart(named, at, lines));
  // Bare numerals only where no chapter is numbered; prologue, epilogue and the book's parts stand among them.
  const counted = countingOn(settle(all, lines));
  const bare = areChapters(counted, lines) ? counted : [];
  // In collections of tales only the table of contents tells what is a title.
  const listed = findListed(lines);
  return [named, bare, listed].reduce((most, other) => (other.length > most.length ? other : most));
}

function isNumberedChapter({ kind, number }: Heading): boolean {
  return kind === "chapter" && number !== undefined;
}

/** A part begins with a chapter, after an epigraph at the most; else it is a part of something the text speaks about. */
function opensPart(headings: readonly Heading[], at: number, lines: readonly string[]): boolean {
  const next = headings[at + 1];
  return next !== undefined && next.kind === "chapter" && textBetween(headings, at, lines) <= LONGEST_EPIGRAPH;
}

/** What remains of the candidates once tables of contents, running headings and lines inside of paragraphs are gone. */
function settle(candidates: readonly Heading[], lines: readonly string[]): Heading[] {
  const listed = withoutContents(candidates, lines);
  const isolated = listed.filter(({ line }) => standsAlone(lines, line));
  return isolated.filter((heading, at) => {
    const before = isolated[at - 1];
    return before === undefined || keyOf(before) !== keyOf(heading);
  });
}

/** A heading is known again by its number, whatever its title looks like. */
function keyOf({ label, kind }: Heading): string {
  return `${kind}/${label.toLowerCase()}`;
}

/**
 * A table of contents is a row of headings with hardly any text between them, of which the first comes again later, where the text begins.
 * Repeats itself, since a book may have one table for each of its parts.
 */
function withoutContents(candidates: readonly Heading[], lines: readonly string[]): readonly Heading[] {
  for (let first = 0; first < candidates.length; first++) {
    const again = candidates.findIndex(
      (other, at) => at > first && keyOf(other) === keyOf(candidates[first] as Heading),
    );
    if (again === -1) continue;
    // The last entry's text runs up to the first chapter: title page, preface; the others must be short.
    const checked = again - first > 1 ? again - 1 : again;
    const isShort = (at: number) => textBetween(candidates, at, lines) <= MOST_BETWEEN_ENTRIES;
    if (!range(first, checked).every(isShort)) continue;
    const before = range(0, first).every(isShort) ? 0 : first;
    return withoutContents([...candidates.slice(0, before), ...candidates.slice(again)], lines);
  }
  return candidates;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** Characters between a candidate and the next. */
function textBetween(candidates: readonly Heading[], at: number, lines: readonly string[]): number {
  const from = (candidates[at]?.line ?? 0) + 1;
  return sum(lines.slice(from, candidates[at + 1]?.line).map((line) => line.trim().length));
}

/** After a blank line, or in a text that has none of these between paragraphs, after the end of a sentence. */
function standsAlone(lines: readonly string[], line: number): boolean {
  const before = lines[line - 1]?.trim() ?? "";
  return (
    before === "" || /[。！？”」…]$/.test(before) || (/[.!?"”]$/.test(before) && (lines[line + 1]?.trim() ?? "") === "")
  );
}

/** Leaves out numerals that don't count on: 1, 2, 3 …, from 1 again in a new part. */
function countingOn(headings: readonly Heading[]): Heading[] {
  let last: number | undefined;
  let mayRestart = false;
  const areTitled = headings.find(({ kind }) => kind === "bare")?.title !== "";
  return headings.filter(({ kind, number, title }) => {
    if (kind === "part") mayRestart = true;
    if (kind !== "bare") return true;
    if ((title !== "") !== areTitled) return false;
    const value = Number(number);
    // A text whose first heading was cut off begins with the second.
    const follows = last === undefined ? value <= 2 : value === last + 1 || (mayRestart && value === 1);
    if (!follows) return false;
    last = value;
    mayRestart = false;
    return true;
  });
}

/** Bare numerals begin early in the book, and have a chapter's worth of text between them. */
function areChapters(headings: readonly Heading[], lines: readonly string[]): boolean {
  if (headings.filter(({ kind }) => kind === "bare").length < 2) return false;
  const sizes = headings.map((_, at) => textBetween(headings, at, lines));
  const total = sum(lines.map((line) => line.trim().length));
  const median = sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 0;
  return median >= LEAST_BARE_CHAPTER && sum(sizes) > total * LEAST_COVERED;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
