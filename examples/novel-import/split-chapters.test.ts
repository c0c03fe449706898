import { describe, expect, test } from "vitest";
import { splitChapters } from "./split-chapters.ts";

const PROSE =
  "The rain had stopped before dawn, and the harbour lay still under a pale sky. Nobody spoke of the boat that had not come back, " +
  "though everybody looked for it, and the old keeper climbed his stairs twice before breakfast to look once more.";

function prose(paragraphs: number): string {
  return Array.from({ length: paragraphs }, (_, index) => `${PROSE} It was the ${index + 1}th day.`).join("\n\n");
}

function outline(text: string): string[] {
  return splitChapters(text).map(({ label, title }) => (title === "" ? label : `${label}: ${title}`));
}

describe("headings", () => {
  const headings: [line: string, label: string][] = [
    ["CHAPTER I", "Chapter 1"],
    ["Chapter 12", "Chapter 12"],
    ["CHAPTER XLII.", "Chapter 42"],
    ["Chapter Twenty-One", "Chapter 21"],
    ["CHAPTER THE SECOND", "Chapter 2"],
    ["Chapter 1. Loomings.", "Chapter 1: Loomings"],
    ["CHAPTER 3: THE SPOUTER-INN", "Chapter 3: The Spouter-Inn"],
    ["CHAPTER IV—THE COUNTERPANE", "Chapter 4: The Counterpane"],
    ["## Chapter 5: Breakfast", "Chapter 5: Breakfast"],
    ["_Chapter 6_", "Chapter 6"],
    ["STAVE ONE", "Stave 1"],
    ["Kapitel 3", "Kapitel 3"],
    ["Chapitre IV", "Chapitre 4"],
    ["PROLOGUE", "Prologue"],
    ["Epilogue. Years Later", "Epilogue: Years Later"],
    ["第十二章 归来", "第十二章: 归来"],
    ["第一百零三回　英雄", "第一百零三回: 英雄"],
    ["序章", "序章"],
  ];
  test.each(headings)("%s", (line, expected) => {
    expect(outline(`${line}\n\n${prose(3)}`)).toEqual([expected]);
  });

  test("a title on the line below, or in a paragraph of its own", () => {
    const text = `CHAPTER I.\nDown the Rabbit-Hole\n\n${prose(2)}\n\nCHAPTER II.\n\nTHE POOL OF TEARS\n\n${prose(2)}`;
    expect(outline(text)).toEqual(["Chapter 1: Down the Rabbit-Hole", "Chapter 2: The Pool of Tears"]);
  });

  test("a short first sentence is no title", () => {
    const [chapter] = splitChapters(`CHAPTER I\n\nCall me Ishmael.\n\n${prose(2)}`);
    expect(chapter).toMatchObject({ title: "", text: expect.stringMatching(/^Call me Ishmael\./) });
  });

  test("chapters carry the name of their part, since their numbers start again", () => {
    const text = [
      "BOOK THE FIRST\n\nRecalled to Life",
      "CHAPTER I",
      prose(2),
      "CHAPTER II",
      prose(2),
      "Book the Second—the Golden Thread",
      "CHAPTER I",
      prose(2),
    ];
    expect(outline(text.join("\n\n"))).toEqual(["Book 1, Chapter 1", "Book 1, Chapter 2", "Book 2, Chapter 1"]);
  });

  test("bare numerals that count on, with or without titles", () => {
    expect(outline(["I", prose(20), "II", prose(20), "III", prose(20)].join("\n\n"))).toEqual([
      "Chapter 1",
      "Chapter 2",
      "Chapter 3",
    ]);
    expect(outline(["1. The Period", prose(20), "2. The Mail", prose(20)].join("\n\n"))).toEqual([
      "Chapter 1: The Period",
      "Chapter 2: The Mail",
    ]);
  });

  test("Windows line ends and a byte order mark", () => {
    expect(
      outline(
        `\uFEFFCHAPTER I\r\n\r\n${prose(2).replaceAll("\n", "\r\n")}\r\n\r\nCHAPTER II\r\n\r\nThe end came soon.`,
      ),
    ).toEqual(["Chapter 1", "Chapter 2"]);
  });

  test("a novel whose paragraphs are lines", () => {
    const text = "第一章 开始\n天黑了，雨下得很大。\n老人坐在门前。\n第二章 归来\n天亮了，雨停了。\n";
    expect(outline(text)).toEqual(["第一章: 开始", "第二章: 归来"]);
  });
});

describe("what is no chapter", () => {
  const chapters = [
    "CHAPTER I. The Harbour",
    prose(3),
    "CHAPTER II. The Boat",
    prose(3),
    "CHAPTER III. The Keeper",
    prose(3),
    "EPILOGUE",
    prose(1),
  ];
  const expected = ["Chapter 1: The Harbour", "Chapter 2: The Boat", "Chapter 3: The Keeper", "Epilogue"];

  test("entries of a table of contents", () => {
    const close = "CONTENTS\n\nCHAPTER I. The Harbour\nCHAPTER II. The Boat\nCHAPTER III. The Keeper\nEPILOGUE";
    const spaced = close.replaceAll("\n", "\n\n");
    const numbered =
      "Contents\n\n Chapter I\n    The Harbour .... 1\n\n Chapter II\n    The Boat .... 20\n\n Chapter III\n    The Keeper .... 40\n\n Epilogue .... 60";
    for (const contents of [close, spaced, numbered])
      expect(outline([contents, ...chapters].join("\n\n\n"))).toEqual(expected);
  });

  test("a table of contents with parts whose numbers start again", () => {
    const contents = "CONTENTS\n\nPART ONE\n\nCHAPTER I\n\nCHAPTER II\n\nPART TWO\n\nCHAPTER I";
    const text = [
      contents,
      "PART ONE",
      "CHAPTER I",
      prose(2),
      "CHAPTER II",
      prose(2),
      "PART TWO",
      "CHAPTER I",
      prose(2),
    ];
    expect(outline(text.join("\n\n"))).toEqual(["Part 1, Chapter 1", "Part 1, Chapter 2", "Part 2, Chapter 1"]);
  });

  test("mentions in the text, even where they begin a line", () => {
    const mention = `${PROSE} He was reading\nChapter II of the log book, and\nPart of the crew were asleep.\n${PROSE}`;
    expect(outline(["CHAPTER I", mention, "CHAPTER II", prose(1)].join("\n\n"))).toEqual(["Chapter 1", "Chapter 2"]);
  });

  test("running page headings", () => {
    expect(outline(["CHAPTER I", prose(2), "CHAPTER I", prose(2), "CHAPTER II", prose(2)].join("\n\n"))).toEqual([
      "Chapter 1",
      "Chapter 2",
    ]);
  });

  test("page numbers", () => {
    const pages = Array.from({ length: 8 }, (_, index) => `${prose(2)}\n\n${index + 1}`).join("\n\n");
    expect(outline(pages)).toEqual(["Part 1"]);
  });

  test("a book that the text speaks of, inside of a chapter", () => {
    const text = ["CHAPTER I", prose(2), "CHAPTER II", prose(2), "BOOK I. (Folio)", prose(9), "CHAPTER III", prose(2)];
    expect(outline(text.join("\n\n"))).toEqual(["Chapter 1", "Chapter 2", "Chapter 3"]);
  });
});

describe("what stands before the first chapter", () => {
  test("a title page is left out", () => {
    expect(outline(`THE HARBOUR\n\nby A. Writer\n\nLondon 1898\n\nCHAPTER I\n\n${prose(2)}`)).toEqual(["Chapter 1"]);
  });

  test("a dedication of some length is kept, and so is all of it", () => {
    const [front, first] = splitChapters(`THE HARBOUR\n\n${prose(3)}\n\n"Yes," she said.\n\nCHAPTER I\n\n${prose(2)}`);
    expect(front).toMatchObject({
      position: 1,
      label: "Front matter",
      text: expect.stringContaining('"Yes," she said.'),
    });
    expect(first).toMatchObject({ position: 2, label: "Chapter 1", number: "1" });
  });
});

describe("a text without headings", () => {
  test("titles that only the table of contents gives away", () => {
    const tales = ["THE GOLDEN BIRD", "HANS IN LUCK", "OLD SULTAN", "BRIAR ROSE"];
    const text = `CONTENTS:\n\n${tales.map((tale) => `     ${tale}`).join("\n")}\n\n\n${tales.map((tale) => `${tale}\n\n${prose(3)}`).join("\n\n\n")}`;
    expect(outline(text)).toEqual(["The Golden Bird", "Hans in Luck", "Old Sultan", "Briar Rose"]);
  });

  test("is cut into parts between paragraphs, and nothing of it is lost", () => {
    const text = prose(150);
    const parts = splitChapters(text);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.map(({ label }) => label)).toEqual(parts.map((_, index) => `Part ${index + 1}`));
    expect(parts.map((part) => part.text).join("\n\n")).toBe(text);
  });

  test("in one line, without a single paragraph", () => {
    const parts = splitChapters(prose(400).replaceAll("\n\n", " "));
    expect(parts.length).toBeGreaterThan(3);
    expect(Math.max(...parts.map(({ text }) => text.length))).toBeLessThan(40_000);
  });

  test("a short one is one part; one without words is none", () => {
    expect(outline("Once upon a time.")).toEqual(["Part 1"]);
    expect(splitChapters(" \n\n * * * \n\n")).toEqual([]);
  });
});

test("a chapter far longer than a message should be is cut", () => {
  const chapters = splitChapters(`CHAPTER I\n\n${prose(1_500)}\n\nCHAPTER II\n\n${prose(2)}`);
  expect(chapters.map(({ label }) => label).slice(0, 2)).toEqual(["Chapter 1", "Chapter 1 (continued 1)"]);
  expect(chapters.at(-1)?.label).toBe("Chapter 2");
  expect(Math.max(...chapters.map(({ text }) => text.length))).toBeLessThan(200_000);
});
