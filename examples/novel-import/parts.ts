import type { Chapter } from "./book.ts";
import { sentencesOf } from "./sentences.ts";

/** A part of a text without headings has about this many words … */
const WORDS_PER_PART = 2_500;
/** … and no more paragraphs than this. */
const PARAGRAPHS_PER_PART = 60;
/** What a message should carry at the most: longer chapters are cut between paragraphs. */
const LONGEST_CHAPTER = 200_000;

/** Cuts a text without headings into parts between paragraphs. Empty for a text without words. */
export function cutIntoParts(text: string): Chapter[] {
  const parts = gather(
    paragraphsIn(text),
    (words, paragraphs) => words >= WORDS_PER_PART || paragraphs >= PARAGRAPHS_PER_PART,
  );
  return parts.map((part, index) => ({
    position: index + 1,
    label: `Part ${index + 1}`,
    number: String(index + 1),
    title: "",
    text: part,
  }));
}

/** The text whole, unless it is far longer than chapters are. */
export function cutLongText(text: string): string[] {
  if (text.length <= LONGEST_CHAPTER) return [text];
  let length = 0;
  return gather(paragraphsIn(text), (_words, _paragraphs, paragraph) => {
    length += paragraph.length;
    if (length < LONGEST_CHAPTER / 2) return false;
    length = 0;
    return true;
  });
}

/** Joins paragraphs until `isFull`. */
function gather(
  paragraphs: readonly string[],
  isFull: (words: number, paragraphs: number, paragraph: string) => boolean,
): string[] {
  const parts: string[] = [];
  let open: string[] = [];
  let words = 0;
  for (const paragraph of paragraphs) {
    open.push(paragraph);
    words += roughWords(paragraph);
    if (!isFull(words, open.length, paragraph)) continue;
    parts.push(open.join("\n\n"));
    open = [];
    words = 0;
  }
  if (open.length > 0) parts.push(open.join("\n\n"));
  return parts;
}

/** Chinese has no spaces: two characters make about a word. */
function roughWords(text: string): number {
  return text.split(/\s+/).length + (text.match(/\p{Script=Han}/gu)?.length ?? 0) / 2;
}

/** Blank lines separate paragraphs; where there are none, each line is one; where there is one line only, sentences are gathered. */
function paragraphsIn(text: string): string[] {
  const blocks = text
    .split(/\n[^\S\n]*\n/)
    .map((block) => block.trim())
    .filter((block) => /[\p{L}\p{N}]/u.test(block));
  return blocks.flatMap((block) => {
    if (block.length < LONGEST_PARAGRAPH) return [block];
    const lines = block
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return lines.flatMap((line) => (line.length < LONGEST_PARAGRAPH ? [line] : cutSentences(line)));
  });
}

/** Longer than any paragraph should be. */
const LONGEST_PARAGRAPH = 15_000;

function cutSentences(line: string): string[] {
  const pieces: string[] = [];
  let open = "";
  for (const { text } of sentencesOf(line)) {
    if (open.length + text.length > LONGEST_PARAGRAPH / 2 && open !== "") {
      pieces.push(open);
      open = "";
    }
    open += open === "" ? text : ` ${text}`;
  }
  // Without a single full stop there is nothing to cut at but length.
  return [...pieces, open].flatMap((piece) => piece.match(new RegExp(`[^]{1,${LONGEST_PARAGRAPH}}`, "g")) ?? []);
}
