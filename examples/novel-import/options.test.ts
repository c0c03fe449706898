import { describe, expect, test } from "vitest";
import { readOptions, UsageError } from "./options.ts";

describe("the command line", () => {
  test("without anything imports Moby-Dick", () => {
    expect(readOptions([], "/home/me")).toEqual({
      source: { kind: "moby-dick" },
      file: "/home/me/out/moby-dick.md",
      workers: 2,
      callsPerSecond: 40,
      seed: 1851,
      failChapter: undefined,
    });
  });

  test("takes a book, from where the person is", () => {
    expect(readOptions(["books/emma.txt", "--workers", "3", "--out", "e.md"], "/home/me")).toMatchObject({
      source: { kind: "file", path: "/home/me/books/emma.txt" },
      file: "/home/me/e.md",
      workers: 3,
    });
    expect(readOptions(["/books/emma.txt"], "/home/me")).toMatchObject({ file: "/home/me/out/emma.md" });
    expect(readOptions(["--help"], "/")).toBe("help");
  });

  test.each([
    [["--bogus"], /--bogus/],
    [["--out"], /--out/],
    [["a.txt", "b.txt"], /one book/],
    [["--workers", "0"], /--workers takes a whole number from 1 to 64, not "0"/],
    [["--workers", "many"], /--workers/],
    [["--rate", "1.5"], /--rate/],
    [[""], /empty/],
  ])("%j is refused", (args, message) => {
    expect(() => readOptions(args, "/")).toThrow(UsageError);
    expect(() => readOptions(args, "/")).toThrow(message);
  });
});
