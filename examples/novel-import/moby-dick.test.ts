import { expect, test } from "vitest";
import { findChapter, nameOf } from "./book.ts";
import { readMobyDick } from "./moby-dick.ts";

const book = readMobyDick();

test("Moby-Dick has front matter, 135 chapters and the epilogue", () => {
  expect(book.chapters).toHaveLength(139);
  expect(book.chapters.map(({ position }) => position)).toEqual(Array.from({ length: 139 }, (_, index) => index + 1));
  const numbers = book.chapters.flatMap(({ number }) => (number === undefined ? [] : [number]));
  expect(numbers).toEqual(Array.from({ length: 135 }, (_, index) => String(index + 1)));
  expect(book.chapters.at(-1)?.label).toBe("Epilogue");
  for (const { text } of book.chapters) expect(text.length).toBeGreaterThan(200);
});

test("titles are whole and without a full stop", () => {
  const name = (wanted: string) => nameOf(findChapter(book, wanted) ?? { label: "", title: "" });
  expect(name("1")).toBe("Chapter 1 · Loomings");
  expect(name("57")).toBe(
    "Chapter 57 · Of Whales in Paint; in Teeth; in Wood; in Sheet-Iron; in Stone; in Mountains; in Stars",
  );
  expect(name("73")).toBe("Chapter 73 · Stubb and Flask Kill a Right Whale; and Then Have a Talk Over Him");
  expect(findChapter(book, "73")?.text).toMatch(/^It must be borne in mind/);
  expect(findChapter(book, "Epilogue")?.text).toMatch(/^The drama's done\./);
});

test("a chapter is found by its number, its name or its title", () => {
  for (const wanted of ["42", "Chapter 42", "chapter 42", "the whiteness of the whale"])
    expect(findChapter(book, wanted)?.number).toBe("42");
  expect(findChapter(book, "epilogue")?.position).toBe(139);
  expect(findChapter(book, "136")?.label).toBe("Chapter 133");
  expect(findChapter(book, "999")).toBeUndefined();
});
