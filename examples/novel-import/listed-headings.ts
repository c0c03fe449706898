import { type Heading, tidyTitle } from "./headings.ts";

const LONGEST_TITLE = 100;
/** A list of fewer is hardly a table of contents. */
const FEWEST = 3;
/** Where to look for it: tables of contents stand in front. */
const SEARCHED_LINES = 600;

/**
 * Headings that only the table of contents gives away: titles without a word or number before them, as in collections of tales. Each must
 * stand alone again further down, in the order of the list.
 */
export function findListed(lines: readonly string[]): Heading[] {
  const contents = lines
    .slice(0, SEARCHED_LINES)
    .findIndex((line) => /^\W*(?:table of )?contents\W*$|^\s*目\s*[录錄次]\s*$/i.test(line));
  if (contents === -1) return [];
  const { titles, end } = readList(lines, contents + 1);
  const headings: Heading[] = [];
  let from = end;
  for (const title of titles) {
    const line = lines.findIndex(
      (text, at) => at >= from && plain(text) === plain(title) && (lines[at - 1] ?? "").trim() === "",
    );
    if (line === -1) continue;
    headings.push({ line, label: tidyTitle(title), title: "", kind: "chapter" });
    from = line + 1;
  }
  return headings.length >= Math.max(FEWEST, titles.length / 2) ? headings : [];
}

/** The lines of the list, up to the first that is there a second time or is too long. */
function readList(lines: readonly string[], from: number): { titles: string[]; end: number } {
  const titles: string[] = [];
  const seen = new Set<string>();
  for (let at = from; at < lines.length; at++) {
    const title = withoutPageNumber(lines[at] ?? "");
    if (plain(title) === "" || /^page$/i.test(title)) continue;
    if (title.length > LONGEST_TITLE || seen.has(plain(title))) return { titles, end: at };
    seen.add(plain(title));
    titles.push(title);
  }
  return { titles: [], end: lines.length };
}

function withoutPageNumber(line: string): string {
  return line.trim().replace(/[\s.·…]+(?:\d{1,4}|[ivxl]+)$/, "");
}

/** The letters of a title, so that "THE GOLDEN GOOSE." and "The Golden Goose" are the same. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
