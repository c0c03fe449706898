import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BookError, readBook } from "./read-book.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novel-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const TEXT = "CHAPTER I\n\nThe café was closed; nobody came.\n\nCHAPTER II\n\nIt opened again.\n";
const GB18030 = "b5dad2bbd5c220bfaacabc0a0accecbadac1cba1a30a0ab5dab6fed5c220b9e9c0b40a0accecc1c1c1cba1a30a";

describe("a book", () => {
  test.each([
    ["UTF-8", Buffer.from(TEXT)],
    ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${TEXT}`)],
    ["UTF-16", Buffer.from(`\uFEFF${TEXT}`, "utf16le")],
    ["Windows-1252", Buffer.from(TEXT, "latin1")],
  ])("in %s", async (_encoding, bytes) => {
    const book = await readBook(await file("the-closed_café.txt", bytes));
    expect(book.chapters.map(({ label }) => label)).toEqual(["Chapter 1", "Chapter 2"]);
    expect(book.chapters[0]?.text).toBe("The café was closed; nobody came.");
    expect(book.title).toBe("The closed café");
  });

  test("in GB 18030", async () => {
    const { chapters } = await readBook(await file("gb.txt", Buffer.from(GB18030, "hex")));
    expect(chapters).toMatchObject([
      { label: "第一章", title: "开始", text: "天黑了。" },
      { label: "第二章", title: "归来", text: "天亮了。" },
    ]);
  });

  test("of Project Gutenberg, without its header, licence and marks", async () => {
    const text = [
      "The Project Gutenberg eBook of The Harbour",
      "Title: The Harbour;\n       or, The Boat",
      "Author: A. Writer",
      "*** START OF THE PROJECT GUTENBERG EBOOK THE HARBOUR ***",
      "CONTENTS\n\n CHAPTER I\n CHAPTER II",
      "[Illustration: a boat\n [_Copyright_]]",
      `CHAPTER I\n\nThe boat was _not_ there.`,
      "CHAPTER II\n\nIt came back.",
      "*** END OF THE PROJECT GUTENBERG EBOOK THE HARBOUR ***",
      "CHAPTER III\n\nof the licence",
    ].join("\r\n\r\n");
    const book = await readBook(await file("pg1.txt", text));
    expect(book).toMatchObject({ title: "The Harbour", author: "A. Writer" });
    expect(book.chapters.map((chapter) => chapter.text)).toEqual(["The boat was not there.", "It came back."]);
  });
});

describe("what is no book", () => {
  async function whyNot(path: string): Promise<string> {
    const error = await readBook(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BookError);
    return (error as BookError).message.replaceAll(folder, "…");
  }

  test("missing, a folder, empty, without words", async () => {
    expect(await whyNot(join(folder, "no.txt"))).toBe("There is no file …/no.txt.");
    await mkdir(join(folder, "shelf"));
    expect(await whyNot(join(folder, "shelf"))).toBe("…/shelf is a folder. Give a text file in it.");
    expect(await whyNot(await file("empty.txt", ""))).toBe("…/empty.txt is empty.");
    expect(await whyNot(await file("blank.txt", " \n\n\t\n"))).toBe("…/blank.txt has no words in it.");
    expect(await whyNot(join(folder, "empty.txt", "book.txt"))).toBe("There is no file …/empty.txt/book.txt.");
  });

  test("binary, or a document of another kind", async () => {
    expect(await whyNot(await file("b.txt", Buffer.from([0, 1, 2, 3, 0, 255, 254, 7, 8])))).toMatch(
      /b\.txt is not a text file/,
    );
    expect(await whyNot(await file("b.pdf", "%PDF-1.7\n…"))).toMatch(/is a PDF, not plain text/);
    expect(await whyNot(await file("b.epub", Buffer.from("504b0304140000", "hex")))).toMatch(
      /is an EPUB, Word or zip file/,
    );
  });

  test.runIf(process.platform !== "win32")("a device", async () => {
    expect(await whyNot("/dev/null")).toMatch(/is not a file that can be read as a book/);
  });
});
