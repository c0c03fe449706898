import { describeList, shorten } from "./extractive-summariser.ts";
import { leadingCue, MOODS, PLACES, TIMES } from "./scene-cues.ts";
import { paragraphsOf, type Sentence, sentencesOf } from "./sentences.ts";
import { contentWords, isStopWord } from "./words.ts";

/** Where a chapter plays, how it feels, who is in it and what is said. What the text doesn't tell is empty. */
export interface Scene {
  readonly setting: string;
  readonly mood: string;
  /** Most often named first. */
  readonly characters: readonly string[];
  /** A passage as it stands in the text, quotation marks included where somebody says it. */
  readonly quote: string;
}

const MOST_CHARACTERS = 5;
const LONGEST_QUOTE = 240;
const SHORTEST_QUOTE = 40;

/** Describes the scene by the text's own words. The same text gives the same scene. Places, times and moods are known in English only. */
export function describeScene(text: string): Scene {
  if (describeList(text) !== undefined) return { setting: "", mood: "", characters: [], quote: "" };
  const sentences = sentencesOf(text);
  return {
    setting: settingOf(text),
    mood: leadingCue(MOODS, contentWords(text))?.label ?? "",
    characters: charactersOf(text),
    quote: quoteOf(sentences),
  };
}

/** A stage direction tells it outright; else the places and times of day that are named most. */
function settingOf(text: string): string {
  const [first = ""] = paragraphsOf(text);
  const direction = /^\((?![^)]*\().{10,160}\)$/.exec(first)?.[0];
  if (direction !== undefined) return direction.slice(1, -1).replace(/\.$/, "");
  const words = contentWords(text);
  const place = leadingCue(PLACES, words)?.label;
  const time = leadingCue(TIMES, contentWords(text.slice(0, OPENING_CHARACTERS)))?.label;
  return capitalised([place, time].filter((part) => part !== undefined).join(", "));
}

/** The time of day is that of the opening: later ones are often only spoken of. */
const OPENING_CHARACTERS = 4_000;

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const RANK = "(?:Captain|Father|Mr\\.?|Mrs\\.?|Miss|Lady|Lord|Sir|Doctor|Dr\\.?|Uncle|Aunt|Madame|Don)";
const NAME = "(\\p{Lu}\\p{Ll}{2,}(?:-\\p{Lu}?\\p{Ll}+)*(?: \\p{Lu}\\p{Ll}{2,})?)";
/** What persons do and things don't. */
const DOES =
  "(?:said|says|cried|asked|replied|answered|whispered|shouted|exclaimed|muttered|murmured|returned|thought|looked|turned|stood|sat|smiled|laughed|sprang|paused|gazed|nodded|rose)";

/** How a capitalised word stands, and how far that speaks for its being a person's name. */
const SIGNS: readonly (readonly [sign: RegExp, weight: number])[] = [
  [new RegExp(`\\b${NAME},? (?:\\p{Ll}+ly )?${DOES}\\b`, "gu"), 2],
  [new RegExp(`\\b${DOES} (?:\\p{Ll}+ )?${NAME}\\b`, "gu"), 2],
  [new RegExp(`\\b${RANK} ${NAME}\\b`, "gu"), 2],
  [new RegExp(`\\b${NAME}['’]s\\b`, "gu"), 0.5],
  [new RegExp(`[,“"] ?(?:my |dear |old )?${NAME}[,!?.]`, "gu"), 0.5],
  [new RegExp(`(?<=[\\p{Ll},;:] )${NAME}\\b`, "gu"), 0.25],
  [new RegExp(`\\b(?:in|at|off|near|towards?|the|The|a|an) ${NAME}\\b`, "gu"), -1],
];
/** What it takes to be taken for a person: more than a word that is capitalised now and then. */
const ENOUGH = 2;
const NOT_A_PERSON = new Set([
  "God",
  "Lord",
  "Sir",
  "Captain",
  "Father",
  "Heaven",
  "Lady",
  "Madame",
  "Christian",
  "Christmas",
  "Mrs",
  "Messrs",
  "Monsieur",
]);

/** Names that behave like persons: they speak, act, own, are spoken to, or carry a rank. */
function charactersOf(text: string): string[] {
  const flat = text.replace(/\s+/g, " ");
  const weights = new Map<string, number>();
  for (const [sign, weight] of SIGNS) {
    for (const [, name = ""] of flat.matchAll(sign)) weights.set(name, (weights.get(name) ?? 0) + weight);
  }
  const persons = [...weights]
    .filter(([name, weight]) => weight >= ENOUGH && isName(name, flat))
    .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    .map(([name]) => name);
  const distinct = persons.filter((name, at) => !persons.slice(0, at).some((other) => sharesWord(other, name)));
  return distinct.slice(0, MOST_CHARACTERS);
}

/** Not a common word that merely begins a sentence or an exclamation. */
function isName(name: string, text: string): boolean {
  const [first = ""] = name.split(" ");
  if (NOT_A_PERSON.has(first) || isStopWord(first)) return false;
  return !text.includes(` ${first.toLowerCase()}`);
}

function sharesWord(a: string, b: string): boolean {
  const words = new Set(a.split(" "));
  return b.split(" ").some((word) => words.has(word));
}

/** What is said in the chapter's own rarest and most repeated words; narration where nobody speaks. */
function quoteOf(sentences: readonly Sentence[]): string {
  const frequency = new Map<string, number>();
  for (const { text } of sentences)
    for (const word of contentWords(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const spoken = sentences.filter(({ text, balanced }) => balanced && text.length >= SHORTEST_QUOTE && isSpeech(text));
  const whole = sentences.filter(({ text, balanced }) => balanced && text.length >= SHORTEST_QUOTE);
  const pool = spoken.length > 0 ? spoken : whole;
  const fitting = pool.filter(({ text }) => text.length <= LONGEST_QUOTE);
  const best = (fitting.length > 0 ? fitting : pool)
    .map(({ text }) => ({ text, score: memorability(text, frequency) }))
    .reduce((one, other) => (other.score > one.score ? other : one), { text: "", score: -1 });
  return shorten(best.text, LONGEST_QUOTE);
}

/** Most of it is inside quotation marks. */
function isSpeech(text: string): boolean {
  const spoken = text.match(/"[^"]*"|“[^”]*”|「[^」]*」|«[^»]*»/g)?.join("").length ?? 0;
  return spoken > text.length / 2;
}

function memorability(text: string, frequency: ReadonlyMap<string, number>): number {
  const words = contentWords(text);
  if (words.length === 0) return 0;
  const theme = words.reduce((sum, word) => sum + Math.log(frequency.get(word) ?? 1), 0) / Math.sqrt(words.length);
  const emphasis = /[!！]["”」»]?$/.test(text) ? 1.2 : 1;
  const comfortable = text.length > 80 && text.length < 200 ? 1.2 : 1;
  return theme * emphasis * comfortable;
}
