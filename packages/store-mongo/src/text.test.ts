import { expect, it } from "vitest";
import { decodeText, encodeText } from "./text.ts";

const TEXTS = [
  "",
  "a",
  "a\0b",
  "\u{1F991}",
  "json:",
  'json:"a"',
  "\ud800",
  "a\udfff",
  "\ud800\ud801",
  "�",
  "$gt",
  "__proto__",
];

it.each(TEXTS.map((text) => [JSON.stringify(text), text]))("%s comes back, as whole Unicode in between", (_, text) => {
  const stored = encodeText(text);
  expect(stored.isWellFormed()).toBe(true);
  expect(decodeText(stored)).toBe(text);
});

it("different texts are stored differently", () => {
  expect(new Set(TEXTS.map(encodeText)).size).toBe(TEXTS.length);
});

it("text for people stays as it is", () => {
  for (const text of ["tasks/1", "漢字", "a\nb", "{}:*"]) expect(encodeText(text)).toBe(text);
});

it("what is no text is refused as that", () => {
  for (const odd of [undefined, null, 7, { $gt: "" }])
    expect(() => encodeText(odd as unknown as string)).toThrow(expect.objectContaining({ code: "NOT_SERIALIZABLE" }));
});
