import { describe, expect, test } from "vitest";
import { readMobyDick } from "./moby-dick.ts";
import { describeScene } from "./scene.ts";

describe("a scene", () => {
  const { chapters } = readMobyDick();
  const sceneOf = (number: string) => describeScene(chapters.find((chapter) => chapter.number === number)?.text ?? "");

  test("tells place and time of day", () => {
    expect(sceneOf("2").setting).toBe("In the streets of a town, at night");
    expect(sceneOf("8").setting).toMatch(/church/);
    expect(sceneOf("28").setting).toBe("Aboard ship");
  });

  test("takes a stage direction as it is", () => {
    expect(sceneOf("129").setting).toBe("Ahab moving to go on deck; Pip catches him by the hand to follow");
  });

  test("names who is there, and neither ships nor places", () => {
    expect(sceneOf("16").characters).toEqual(expect.arrayContaining(["Peleg", "Bildad"]));
    expect(sceneOf("133").characters.slice(0, 2)).toEqual(["Ahab", "Starbuck"]);
    const all = chapters.flatMap(({ text }) => describeScene(text).characters);
    for (const name of ["Nantucket", "Pequod", "God", "Well"]) expect(all).not.toContain(name);
  });

  test("quotes the text as it stands", () => {
    for (const { text } of chapters.slice(1, 40)) {
      const { quote } = describeScene(text);
      expect(text.replace(/\s+/g, " ")).toContain(quote.replace(/…$/, ""));
      expect(quote.length).toBeLessThanOrEqual(240);
    }
  });

  test("is empty where there is nothing to tell", () => {
    expect(describeScene("")).toEqual({ setting: "", mood: "", characters: [], quote: "" });
    expect(describeScene(chapters[0]?.text ?? "")).toEqual({ setting: "", mood: "", characters: [], quote: "" });
  });

  test("is the same each time", () => {
    for (const { text } of chapters.slice(3, 13)) expect(describeScene(text)).toEqual(describeScene(text));
  });
});
