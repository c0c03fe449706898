import { describe, expect, test } from "vitest";
import { checkId, checkName, encodeName } from "./names.ts";

const invalid = expect.objectContaining({ code: "INVALID_NAME" });

describe("checkName", () => {
  test.each(["a", "A-1_b", "book.summarised", "a.b.c", "0", "x".repeat(128)])("%s is a name", (name) => {
    expect(checkName("the queue", name)).toBe(name);
  });

  test.each(["", ".", "a.", ".a", "a..b", "a b", "a/b", "a*", "a>", "a\n", "ä", "x".repeat(129)])(
    "%j is none",
    (name) => {
      expect(() => checkName("the queue", name)).toThrow(invalid);
    },
  );

  test("says what is wrong, also of what is no text", () => {
    expect(() => checkName("the queue", "a b")).toThrow(/^the queue "a b" is not a valid name: use letters/);
    expect(() => checkName("the queue", undefined as never)).toThrow(invalid);
  });
});

describe("checkId", () => {
  test.each(["a", " ", "a/b:c\n\0", "日本語", "🙂", "x".repeat(256)])("%j is an id", (id) => {
    expect(checkId("the id", id)).toBe(id);
  });

  test.each(["", "x".repeat(257), "\ud800", 5 as never])("%j is none", (id) => {
    expect(() => checkId("the id", id)).toThrow(invalid);
  });
});

describe("encodeName", () => {
  test("leaves what is safe and escapes the rest by its bytes", () => {
    expect(encodeName("aZ0_-")).toBe("aZ0_-");
    expect(encodeName("a.b=c")).toBe("a=2Eb=3Dc");
    expect(encodeName("é\n🙂")).toBe("=C3=A9=0A=F0=9F=99=82");
  });

  test("is injective and safe, whatever the text", () => {
    const texts = [
      "",
      "a",
      "=",
      "=3D",
      "3D",
      "a.b",
      "a=2Eb",
      "a b",
      "a>b",
      "a*b",
      "A",
      "\0",
      "é",
      "e\u0301",
      "🙂",
      "日本",
    ];
    const encoded = texts.map(encodeName);
    expect(new Set(encoded).size).toBe(texts.length);
    for (const name of encoded) expect(name).toMatch(/^[A-Za-z0-9_=-]*$/);
  });
});
