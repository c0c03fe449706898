import { describe, expect, test } from "vitest";
import { summarise } from "./extractive-summariser.ts";
import { readMobyDick } from "./moby-dick.ts";
import { paragraphsOf, sentencesOf } from "./sentences.ts";

describe("sentences", () => {
  const split = (text: string) => sentencesOf(text).map((sentence) => sentence.text);

  test("end neither after an abbreviation nor after an initial", () => {
    expect(split("Mr. Starbuck met Dr. J. Smith at St. Mary's. They spoke, e.g. of whales. Night fell.")).toEqual([
      "Mr. Starbuck met Dr. J. Smith at St. Mary's.",
      "They spoke, e.g. of whales.",
      "Night fell.",
    ]);
  });

  test("keep a quotation whole, with the words of the speaker", () => {
    expect(split('She turned. "Stop! Who goes there?" he cried. Nobody answered.')).toEqual([
      "She turned.",
      '"Stop! Who goes there?" he cried.',
      "Nobody answered.",
    ]);
    expect(split("“Wait. I am coming.” He came.")).toEqual(["“Wait. I am coming.”", "He came."]);
  });

  test("don't run over the end of a paragraph, and know when a quotation stays open", () => {
    const sentences = sentencesOf('"It began so. I was young.\n\n"And it ended so."');
    expect(sentences.map(({ paragraph, balanced }) => [paragraph, balanced])).toEqual([
      [0, false],
      [0, false],
      [1, true],
    ]);
  });

  test("of Chinese", () => {
    expect(split("天黑了。雨下得很大！谁来了？")).toEqual(["天黑了。", "雨下得很大！", "谁来了？"]);
  });
});

describe("a summary", () => {
  const { chapters } = readMobyDick();
  const summaries = chapters.map(({ text }) => ({ text, summary: summarise(text, { sentences: 3 }) }));

  test("is made of the text's own sentences, in their order", () => {
    for (const { text, summary } of summaries.slice(3, 60)) {
      const flat = paragraphsOf(text).join(" ");
      let from = 0;
      for (const { text: sentence } of sentencesOf(summary)) {
        const at = flat.indexOf(sentence.replace(/…$/, ""), from);
        expect(at, sentence).toBeGreaterThanOrEqual(from);
        from = at + 1;
      }
    }
  });

  test("is short, and never empty", () => {
    for (const { summary } of summaries) {
      expect(summary.length).toBeGreaterThan(0);
      expect(summary.length).toBeLessThanOrEqual(700);
    }
  });

  test("cuts no quotation in two", () => {
    for (const { summary } of summaries) expect(summary.split('"').length % 2, summary).toBe(1);
  });

  test("has no more sentences than asked for", () => {
    const text = chapters[6]?.text ?? "";
    const lengths = [1, 2, 3].map((sentences) => summarise(text, { sentences }).length);
    expect(sentencesOf(summarise(text, { sentences: 1 }))).toHaveLength(1);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  test("is the same each time", () => {
    for (const { text, summary } of summaries.slice(0, 10)) expect(summarise(text, { sentences: 3 })).toBe(summary);
  });

  test("chooses what the text is about", () => {
    const text =
      "The lighthouse stood on the rock above the harbour. Somebody had painted a door green. The keeper of the lighthouse lit the lamp each night. " +
      "Cheese was cheap that year. When the lamp of the lighthouse went out, the harbour was dark, and the keeper rowed to the rock. Umbrellas were sold out.";
    const summary = summarise(text, { sentences: 2 });
    expect(summary).toContain("lighthouse");
    expect(summary).not.toMatch(/Cheese|green/);
  });

  test("of a list says what it lists", () => {
    expect(summaries[0]?.summary).toBe("A list of 138 entries, from “ETYMOLOGY” to “Epilogue”.");
  });

  test("of a few words is these, and of one endless sentence its beginning", () => {
    expect(summarise("Night fell.\n\nNobody came.", { sentences: 3 })).toBe("Night fell. Nobody came.");
    const endless = `It went ${"on and on, ".repeat(200)}and never stopped.`;
    expect(summarise(endless, { sentences: 3 })).toMatch(/^It went on and on,.*…$/);
    expect(summarise("天黑了。\n\n谁来了？", { sentences: 3 })).toBe("天黑了。谁来了？");
    expect(summarise("", { sentences: 3 })).toBe("");
  });

  test("takes bounded time for any text", () => {
    const sentence = (index: number) =>
      `The whale number ${index} swam past the ship and the ${index % 97} sailors of the watch saw it.`;
    const text = Array.from({ length: 20_000 }, (_, index) => sentence(index)).join(" ");
    expect(summarise(text, { sentences: 3 })).toMatch(/^The whale number/);
  });
});
