/** A line that may begin a chapter. */
export interface Heading {
  /** Index of its line. */
  readonly line: number;
  /** As the book prints it, tidied: "Chapter 42", "Epilogue", "第十二章". */
  readonly label: string;
  /** In digits, where the book counts it. */
  readonly number?: string | undefined;
  /** What follows the label on the same line. */
  readonly title: string;
  /**
   * - `chapter`: names itself a chapter, or is a prologue, an epilogue and the like.
   * - `part`: a book, part or volume that holds chapters.
   * - `bare`: a numeral alone, or before a title; a chapter only if it counts on.
   */
  readonly kind: "chapter" | "part" | "bare";
}

const CHAPTER_WORDS = "chapter|chap|letter|stave|canto|act|adventure|kapitel|chapitre|cap[ií]tulo|capitolo|hoofdstuk";
const PART_WORDS = "book|part|volume|vol|teil|buch|partie|livre|tome|parte|libro";
const UNNUMBERED =
  "prologue|epilogue|preface|foreword|introduction|afterword|interlude|postscript|conclusion|prelude|etymology|extracts|prolog|epilog|vorwort|nachwort|einleitung|avant-propos|pr[oó]logo|ep[ií]logo";
const WORD_NUMBERS =
  "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(
    " ",
  );
const ORDINALS =
  "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(
    " ",
  );
const TENS = { twenty: 20, thirty: 30, forty: 40, fifty: 50, sixty: 60, seventy: 70, eighty: 80, ninety: 90 };
const TENS_WORDS = Object.keys(TENS).join("|");
const NUMERAL = `\\d{1,4}|[ivxlc]+|the last|(?:the )?(?:${ORDINALS.join("|")})|(?:${TENS_WORDS})(?:[ -](?:${WORD_NUMBERS.slice(0, 9).join("|")}))?|${WORD_NUMBERS.toReversed().join("|")}`;
const REST = "(\\s*[.:)\\]—–-]+\\s*|\\s+|$)(.*)";

const NUMBERED = new RegExp(`^(${CHAPTER_WORDS}|${PART_WORDS})\\.?\\s+(${NUMERAL})(?![\\p{L}\\d])${REST}$`, "iu");
const UNNUMBERED_LINE = new RegExp(`^(${UNNUMBERED})(?![\\p{L}\\d-])(?:\\s*[.:—–-]+\\s*|\\s+|$)(.*)$`, "iu");
const CHINESE_NUMERAL = "[〇零一二三四五六七八九十百千两兩廿\\d]+";
const CHINESE = new RegExp(
  `^(?:正文\\s*)?第\\s*(${CHINESE_NUMERAL})\\s*([章回节節话話卷部集篇])(?:[\\s:：、.．·—-]+|$|(?=[^。，]))(.*)$`,
  "u",
);
const CHINESE_UNNUMBERED =
  /^(序章|序言|序|楔子|引子|前言|尾声|尾聲|后记|後記|终章|終章|番外|跋)(?:[\s:：、.·—-]+(.*)|$)/u;
const BARE_NUMERAL = /^((?=[IVXLC])[IVXLC]+|\d{1,3})(?:\.?|(?:\.\s*|\s+[—–:-]\s*)(\p{Lu}.*))$/u;

/** Old novels have titles such as "In which our hero …". */
const LONGEST_HEADING = 240;

const LONGEST_BARE_HEADING = 80;

/** Reads a line as a heading, if it looks like one. Whether it is one depends on what stands around it. */
export function readHeading(raw: string, line: number): Heading | undefined {
  const text = raw.replace(/^[\s#*_=~[]+|[\s#*_=~\]]+$/g, "");
  if (text === "" || text.length > LONGEST_HEADING) return undefined;
  return readNumbered(text, line) ?? readUnnumbered(text, line) ?? readChinese(text, line) ?? readBare(text, line);
}

function readNumbered(text: string, line: number): Heading | undefined {
  const [, word = "", numeral = "", separator = "", rest = ""] = NUMBERED.exec(text) ?? [];
  if (word === "" || /^\p{Ll}/u.test(text)) return undefined;
  // "Part of the crew …" and "Chapter One of his memoirs was": prose goes on in lower case.
  const isSeparate = /[.:)\]—–]|--/.test(separator) || rest === "";
  if (!isSeparate && (!startsTitle(rest) || text.length > 100)) return undefined;
  const number = toNumber(numeral);
  const kind = new RegExp(`^(?:${PART_WORDS})$`, "i").test(word) ? "part" : "chapter";
  const label = `${capitalise(word)} ${number ?? capitalise(numeral)}`;
  return {
    line,
    label: label.replace(/^Chap /, "Chapter ").replace(/^Vol /, "Volume "),
    number,
    title: tidyTitle(rest),
    kind,
  };
}

function readUnnumbered(text: string, line: number): Heading | undefined {
  const [, word = "", rest = ""] = UNNUMBERED_LINE.exec(text) ?? [];
  if (word === "" || (rest !== "" && !startsTitle(rest)) || /^\p{Ll}/u.test(text)) return undefined;
  const title = tidyTitle(rest);
  // "Introduction to the study of …, which he wrote": too much for a title.
  if (/[,;]/.test(rest) && title.length > 60) return undefined;
  return { line, label: capitalise(word), title, kind: "chapter" };
}

function readChinese(text: string, line: number): Heading | undefined {
  const [, numeral = "", unit = "", rest = ""] = CHINESE.exec(text) ?? [];
  if (numeral !== "" && rest.length <= 40 && !/[。，！？]$/.test(rest)) {
    const number = fromChinese(numeral);
    return {
      line,
      label: `第${numeral}${unit}`,
      number: String(number),
      title: rest.trim(),
      kind: /[卷部集篇]/.test(unit) ? "part" : "chapter",
    };
  }
  const [, word = "", title = ""] = CHINESE_UNNUMBERED.exec(text) ?? [];
  return word === "" ? undefined : { line, label: word, title: title.trim(), kind: "chapter" };
}

function readBare(text: string, line: number): Heading | undefined {
  if (text.length > LONGEST_BARE_HEADING) return undefined;
  const [, numeral = "", rest = ""] = BARE_NUMERAL.exec(text) ?? [];
  const number = numeral === "" ? undefined : toNumber(numeral);
  if (number === undefined) return undefined;
  return { line, label: `Chapter ${number}`, number, title: tidyTitle(rest), kind: "bare" };
}

function startsTitle(text: string): boolean {
  return /^["“‘'«([_]?[\p{Lu}\p{Lo}\d]/u.test(text);
}

/** Without the final stop; titles in capitals in title case. */
export function tidyTitle(raw: string): string {
  const title = raw
    .replace(/^[\s_*]+|[\s_*]+$/g, "")
    .replace(/_/g, "")
    .replace(/([^.])\.$/, "$1")
    .replace(/\s+/g, " ");
  if (!/\p{Lu}{2}/u.test(title) || /\p{Ll}/u.test(title)) return title;
  const small = new Set("a an and at but by for from in into of on or the to with".split(" "));
  return title
    .toLowerCase()
    .split(" ")
    .map((word, at) => (at > 0 && small.has(word) ? word : capitalise(word)))
    .join(" ");
}

function capitalise(word: string): string {
  return word
    .toLowerCase()
    .replace(/(^|[-“"(‘])(\p{Ll})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/** "XLII", "42", "forty-two", "the forty-second"… in digits. */
function toNumber(numeral: string): string | undefined {
  const text = numeral.toLowerCase().replace(/^the /, "");
  if (/^\d+$/.test(text)) return String(Number(text));
  if (/^[ivxlc]+$/.test(text)) return fromRoman(text);
  const [first = "", second = ""] = text.split(/[ -]/);
  const unit = (word: string) => Math.max(WORD_NUMBERS.indexOf(word), ORDINALS.indexOf(word)) + 1;
  const tens = TENS[first as keyof typeof TENS];
  if (tens !== undefined) return String(tens + unit(second));
  return unit(first) > 0 ? String(unit(first)) : undefined;
}

function fromRoman(text: string): string | undefined {
  if (!/^(?:c{0,3})(?:xc|xl|l?x{0,4})(?:ix|iv|v?i{0,4})$/.test(text)) return undefined;
  const values: Record<string, number> = { i: 1, v: 5, x: 10, l: 50, c: 100 };
  let sum = 0;
  for (let at = 0; at < text.length; at++) {
    const value = values[text.charAt(at)] ?? 0;
    sum += value < (values[text.charAt(at + 1)] ?? 0) ? -value : value;
  }
  return String(sum);
}

function fromChinese(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const digits = "〇一二三四五六七八九";
  const units: Record<string, number> = { 十: 10, 百: 100, 千: 1_000 };
  let total = 0;
  let digit = 0;
  for (const sign of text
    .replace(/[两兩]/g, "二")
    .replace(/零/g, "〇")
    .replace(/廿/g, "二十")) {
    const unit = units[sign];
    if (unit === undefined) digit = digit * 10 + digits.indexOf(sign);
    else {
      total += (digit || 1) * unit;
      digit = 0;
    }
  }
  return total + digit;
}
