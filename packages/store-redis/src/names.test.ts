import { describe, expect, it } from "vitest";
import { HOSTILE_TEXTS } from "../../conformance/src/task-state-store/hostile-values.ts";
import { decodeKey, encodeKey, Names } from "./names.ts";

const TEXTS = [
  ...HOSTILE_TEXTS,
  "",
  "\ud800",
  "\udfff",
  "\ud800\ud800",
  "\udc00\ud800",
  "\ufffd",
  "\ufeffa",
  "=ED=A0=80",
  "a:b:c",
];

/** As the server does it: what stands between the first braces, if there is anything. */
const slotPart = (key: string) => /^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key;

describe("encodeKey", () => {
  it("is injective and leaves nothing that means something to the server", () => {
    const encoded = TEXTS.map(encodeKey);
    expect(new Set(encoded).size).toBe(TEXTS.length);
    for (const text of encoded) expect(text).toMatch(/^[A-Za-z0-9_.=-]*$/);
  });

  it("can be undone", () => {
    for (const text of TEXTS) expect(decodeKey(encodeKey(text))).toBe(text);
  });

  it("is undone without an error also where somebody else has made it", () => {
    for (const text of ["=", "=zz", "%", "%zz", "=ED=A0", "=C3", "=FF=FE", "a b", "\n"])
      expect(decodeKey(text)).toBeTypeOf("string");
  });
});

describe("Names", () => {
  const names = new Names("library.prod");

  it("keeps namespaces, purposes and ids apart", () => {
    const all = TEXTS.flatMap((text) => [
      ...Object.values(names.stream(text)),
      names.shared("task", text),
      names.alone("inbox", text, ""),
      names.alone("inbox", "", text),
      names.alone("rate", text),
      ...Object.values(new Names("library").stream(text)),
    ]);
    // Of the empty text, the two of the inbox are the same.
    expect(new Set(all).size).toBe(all.length - 1);
  });

  it("puts a stream's keys into one slot, streams into many, and what scripts use together into one", () => {
    const { log, meta } = names.stream("{}:*");
    expect(slotPart(log)).toBe(slotPart(meta));
    expect(new Set(TEXTS.map((text) => slotPart(names.stream(text).log))).size).toBe(TEXTS.length);
    expect(slotPart(names.shared("task", "{a}"))).toBe("library.prod");
    expect(new Set(TEXTS.map((text) => slotPart(names.alone("rate", text)))).size).toBe(TEXTS.length);
  });
});
