import { type Chapter, nameOf } from "./book.ts";
import { type Companion, type CompanionChapter, incompleteChapters } from "./companion.ts";
import type { Scene } from "./scene.ts";

const WORDS_PER_MINUTE = 230;
const MOST_CHARACTERS = 10;
const count = new Intl.NumberFormat("en");

/** The companion as a Markdown page: title, contents, each chapter's summary and scene, statistics. The same companion gives the same page. */
export function renderCompanion(companion: Companion): string {
  const sections = [
    renderTitle(companion),
    renderContents(companion),
    ...companion.chapters.map(renderChapter),
    renderStatistics(companion),
  ];
  return `${sections.join("\n\n---\n\n")}\n`;
}

function renderTitle({ book, chapters, words }: Companion): string {
  const minutes = Math.max(1, Math.round(words / WORDS_PER_MINUTE));
  const reading = minutes < 90 ? amount(minutes, "minute") : amount(Math.round(minutes / 60), "hour");
  const author = book.author === undefined ? [] : [`*by ${escapeMarkdown(book.author)}*`];
  return [
    `# ${escapeMarkdown(book.title)}`,
    ...author,
    `**A reader’s companion**`,
    `${amount(chapters.length, "chapter")}, ${count.format(words)} words, about ${reading} of reading. ` +
      "Every sentence of the summaries below is the book’s own.",
    ...renderEpigraph(chapters),
  ].join("\n\n");
}

/** The first quotation of a numbered chapter sets the tone. */
function renderEpigraph(chapters: readonly CompanionChapter[]): string[] {
  const found = chapters.find(
    ({ chapter, scene }) => chapter.number !== undefined && scene !== undefined && scene.quote !== "",
  );
  return found?.scene === undefined ? [] : [`${quoted(found.scene.quote)}\n>\n> — *${heading(found.chapter)}*`];
}

function renderContents({ chapters }: Companion): string {
  const lines = chapters.map(
    ({ chapter, missing }) =>
      `- [${heading(chapter)}](#${anchorOf(chapter.position)})${missing.length > 0 ? " *(incomplete)*" : ""}`,
  );
  return `<a id="chapters"></a>\n\n## Chapters\n\n${lines.join("\n")}\n- [In numbers](#in-numbers)`;
}

function heading(chapter: Chapter): string {
  return escapeMarkdown(typographic(nameOf(chapter)));
}

/** Headings make anchors of their own, but each viewer in its own way. */
function anchorOf(position: number): string {
  return `part-${position}`;
}

function renderChapter({ chapter, words, summary, scene, missing }: CompanionChapter): string {
  const blocks = [
    `<a id="${anchorOf(chapter.position)}"></a>`,
    `## ${heading(chapter)}`,
    summary === undefined ? undefined : escapeMarkdown(typographic(summary)),
    scene === undefined ? undefined : renderScene(scene, summary),
    missing.length === 0 ? undefined : `> **Incomplete:** ${missing.map(escapeMarkdown).join("; ")}.`,
    `<sub>${amount(words, "word")} · [Chapters](#chapters)</sub>`,
  ];
  return blocks.filter((block) => block !== undefined && block !== "").join("\n\n");
}

/** A quotation that the summary has already is left out. */
function renderScene({ setting, mood, characters, quote }: Scene, summary = ""): string {
  const facts = [
    setting === "" ? undefined : `**Setting:** ${escapeMarkdown(setting)}`,
    mood === "" ? undefined : `**Mood:** ${escapeMarkdown(mood)}`,
    characters.length === 0 ? undefined : `**Characters:** ${escapeMarkdown(characters.join(", "))}`,
  ].filter((fact) => fact !== undefined);
  const lines = [facts.join(" · "), quote === "" || summary.includes(quote) ? "" : quoted(quote)];
  return lines.filter((line) => line !== "").join("\n\n");
}

function renderStatistics(companion: Companion): string {
  const { chapters, words, retries, failed } = companion;
  const bySize = chapters.toSorted((a, b) => a.words - b.words);
  const rows: [string, string][] = [
    ["Chapters", count.format(chapters.length)],
    ["Words", count.format(words)],
    ["Longest chapter", sized(bySize.at(-1))],
    ["Shortest chapter", sized(bySize[0])],
    [
      "Most often in a scene",
      ranked(
        chapters.flatMap(({ scene }) => scene?.characters ?? []),
        MOST_CHARACTERS,
      ),
    ],
    [
      "Moods",
      ranked(
        chapters.map(({ scene }) => scene?.mood ?? ""),
        MOST_CHARACTERS,
      ),
    ],
    [
      "Settings",
      ranked(
        chapters.map(({ scene }) => scene?.setting.replace(/,.*/, "") ?? ""),
        5,
      ),
    ],
    [
      "Pieces made",
      `${count.format(chapters.length * 2 - failed)} of ${count.format(chapters.length * 2)}, with ${amount(retries, "retry", "retries")}`,
    ],
  ];
  const incomplete = incompleteChapters(companion);
  if (incomplete.length > 0) rows.push(["Incomplete", incomplete.join("; ")]);
  const table = rows
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `| ${name} | ${escapeMarkdown(value).replaceAll("|", "\\|")} |`);
  return [`<a id="in-numbers"></a>`, "## In numbers", `| | |\n|---|---|\n${table.join("\n")}`].join("\n\n");
}

function sized(chapter: CompanionChapter | undefined): string {
  return chapter === undefined ? "" : `${nameOf(chapter.chapter)} (${amount(chapter.words, "word")})`;
}

/** The most frequent values with how often they occur; what occurs once is left out. */
function ranked(values: readonly string[], most: number): string {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .filter(([, times]) => times > 1)
    .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([value, times]) => `${value} (${times})`)
    .join(", ");
}

function amount(value: number, one: string, many = `${one}s`): string {
  return `${count.format(value)} ${value === 1 ? one : many}`;
}

function quoted(text: string): string {
  return `> ${escapeMarkdown(typographic(text))}`;
}

/** Straight quotation marks as printers set them. */
function typographic(text: string): string {
  return text
    .replace(/(^|[\s([—–-])"(?=\S)/g, "$1“")
    .replaceAll('"', "”")
    .replace(/(^|[\s([—–“-])'(?=\S)/g, "$1‘")
    .replaceAll("'", "’")
    .replace(/(\S)--(?=\S)/g, "$1—");
}

/** So that a text stands in Markdown as it is: nothing of it becomes emphasis, a link, HTML, a heading or a list. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>~]/g, "\\$&")
    .replace(/&(?=#?\w+;)/g, "&amp;")
    .replace(/^([#+=-])/, "\\$1")
    .replace(/^(\d+)([.)] )/, "$1\\$2");
}
