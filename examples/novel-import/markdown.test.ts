import { describe, expect, test } from "vitest";
import type { Book } from "./book.ts";
import { incompleteChapters, type Piece, toCompanion } from "./companion.ts";
import { renderCompanion } from "./markdown.ts";
import type { Scene } from "./scene.ts";

const book: Book = {
  title: "The *Harbour*",
  author: "A. Writer",
  chapters: [
    { position: 1, label: "Prologue", title: "", text: "One two three." },
    { position: 2, label: "Chapter 1", number: "1", title: "The <Boat> [lost]", text: "Four five." },
    { position: 3, label: "Chapter 2", number: "2", title: "", text: "Six." },
  ],
};
const scene: Scene = {
  setting: "On the shore, at dawn",
  mood: "ominous",
  characters: ["Ann", "Ben"],
  quote: '"Where is it?" she asked.',
};
const made = <Result>(position: number, result: Result): Piece<Result> => ({ position, result, retries: 1 });
const failed = { position: 3, failure: "model overloaded", retries: 4 };

describe("the page", () => {
  const complete = toCompanion(
    book,
    [3, 1, 2].map((position) => made(position, { summary: `Summary of ${position}: it's "so".` })),
    [1, 2, 3].map((position) => made(position, { scene })),
  );
  const page = renderCompanion(complete);

  test("has a title, contents with links that lead somewhere, every chapter in order, and statistics", () => {
    expect(page).toMatch(/^# The \\\*Harbour\\\*\n\n\*by A\. Writer\*/);
    expect(page.match(/^## .*/gm)).toEqual([
      "## Chapters",
      "## Prologue",
      "## Chapter 1 · The \\<Boat\\> \\[lost\\]",
      "## Chapter 2",
      "## In numbers",
    ]);
    const links = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(5);
    for (const anchor of links) expect(page).toContain(`<a id="${anchor}"></a>`);
    expect(page).toContain("| Words | 6 |");
    expect(page).toContain("Ann (3), Ben (3)");
  });

  test("has summary, setting, mood, characters and a quotation of each chapter", () => {
    expect(page).toContain("Summary of 2: it’s “so”.");
    expect(page).toContain("**Setting:** On the shore, at dawn · **Mood:** ominous · **Characters:** Ann, Ben");
    expect(page).toContain("> “Where is it?” she asked.");
  });

  test("is the same for the same companion", () => {
    expect(renderCompanion(complete)).toBe(page);
    expect(incompleteChapters(complete)).toEqual([]);
  });

  test("leaves out what a chapter has not", () => {
    const bare = { setting: "", mood: "", characters: [], quote: "" };
    const text = renderCompanion(
      toCompanion(
        book,
        [],
        [1, 2, 3].map((position) => made(position, { scene: bare })),
      ),
    );
    expect(text).not.toMatch(/Setting|Mood:|\n>\s*\n|undefined|\n\n\n/);
  });
});

test("what failed is named: in the contents, at the chapter, and in the end", () => {
  const companion = toCompanion(
    book,
    [made(1, { summary: "a" }), made(2, { summary: "b" }), failed],
    [made(1, { scene }), made(2, { scene })],
  );
  const page = renderCompanion(companion);
  expect(incompleteChapters(companion)).toEqual(["Chapter 2"]);
  expect(companion).toMatchObject({ failed: 2, retries: 8 });
  expect(page).toContain("- [Chapter 2](#part-3) *(incomplete)*");
  expect(page).toContain("> **Incomplete:** no summary: model overloaded; no scene: its task is not to be found.");
  expect(page).toContain("| Pieces made | 4 of 6, with 8 retries |");
  expect(page).toContain("| Incomplete | Chapter 2 |");
});
