/** A passage that can stand alone: one sentence, or several where a quotation runs over them. */
export interface Sentence {
  readonly text: string;
  /** Which paragraph it is in, from 0. */
  readonly paragraph: number;
  /** It lies outside of any quotation that is left open, and every one that opens in it also closes in it. */
  readonly balanced: boolean;
}

const ABBREVIATION =
  /(?:^|[\s("“'‘—-])(?:Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Sr|Jr|St|Ste|Mt|Capt|Col|Gen|Lieut|Lt|Sgt|Maj|Adm|Gov|Esq|Mme|Mlle|M|vs|viz|etc|cf|vol|Vol|chap|Chap|p|pp|No|fig|Fig|ed|i\.e|e\.g|a\.m|p\.m|Co|[A-Z])\.$/;

/** A quotation longer than this many sentences is most likely one that never closes. */
const LONGEST_QUOTATION = 6;

/** A quotation mark that so many characters later is still without its other is taken for a stray one. */
const STRAY_AFTER = 4_000;

const segmenters = new Map<string, Intl.Segmenter>();

/** The language to segment by, as far as it matters: Chinese and Japanese write no spaces between words. */
export function languageOf(text: string): "zh" | "ja" | "en" {
  const sample = text.slice(0, 4_000);
  const kana = sample.match(/[\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0;
  const han = sample.match(/\p{Script=Han}/gu)?.length ?? 0;
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (han + kana < letters / 3) return "en";
  return kana > han / 5 ? "ja" : "zh";
}

export function segmenterFor(language: string, granularity: "sentence" | "word"): Intl.Segmenter {
  const key = `${language}/${granularity}`;
  let segmenter = segmenters.get(key);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(language, { granularity });
    segmenters.set(key, segmenter);
  }
  return segmenter;
}

/** Paragraphs, each on one line. */
export function paragraphsOf(text: string): string[] {
  return text
    .split(/\n[^\S\n]*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
    .filter((paragraph) => paragraph !== "");
}

/** Splits a text into sentences: not after "Mr.", not inside a quotation, never over the end of a paragraph. */
export function sentencesOf(text: string): Sentence[] {
  const segmenter = segmenterFor(languageOf(text), "sentence");
  return paragraphsOf(text).flatMap((paragraph, index) =>
    joinQuotations(joinAbbreviations([...segmenter.segment(paragraph)].map(({ segment }) => segment))).map(
      (sentence) => ({ ...sentence, paragraph: index }),
    ),
  );
}

function joinAbbreviations(segments: readonly string[]): string[] {
  const joined: string[] = [];
  let open = "";
  for (const segment of segments) {
    open += segment;
    if (ABBREVIATION.test(open.trimEnd())) continue;
    joined.push(open);
    open = "";
  }
  if (open !== "") joined.push(open);
  return joined;
}

function joinQuotations(segments: readonly string[]): Omit<Sentence, "paragraph">[] {
  const joined: Omit<Sentence, "paragraph">[] = [];
  let open = "";
  for (let at = 0; at < segments.length; ) {
    const end = endOfQuotation(segments, at);
    const text = segments.slice(at, end).join("");
    joined.push({ text: text.trim(), balanced: open === "" && isBalanced(text) });
    open += text;
    if (open.length > STRAY_AFTER || isBalanced(open)) open = "";
    at = end;
  }
  return joined;
}

/** Where the passage that begins at `at` may end: with its quotations closed, and not before `he cried`. */
function endOfQuotation(segments: readonly string[], at: number): number {
  let text = "";
  for (let end = at; end < Math.min(segments.length, at + LONGEST_QUOTATION); end++) {
    text += segments[end];
    const next = segments[end + 1];
    const goesOn = next !== undefined && /^\p{Ll}/u.test(next);
    if (!goesOn && isBalanced(text)) return end + 1;
  }
  return at + 1;
}

function isBalanced(text: string): boolean {
  const count = (mark: string) => text.split(mark).length - 1;
  return (
    hasPairedStraightQuotes(text) &&
    count("“") === count("”") &&
    count("«") === count("»") &&
    count("「") === count("」") &&
    count("(") === count(")")
  );
}

/** Straight quotation marks look alike: one before a word and after a space opens, any other closes. */
function hasPairedStraightQuotes(text: string): boolean {
  let open = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) {
    const opens = /^\S/.test(text.slice(at + 1, at + 2)) && /^[\s([—–-]?$/.test(text.slice(Math.max(0, at - 1), at));
    if (opens === open) return false;
    open = opens;
  }
  return !open;
}
