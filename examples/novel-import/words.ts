import { languageOf, segmenterFor } from "./sentences.ts";

const STOP_WORDS = new Set(
  `a about above after again against all almost along also although always am among an and another any are as at away be became because been
  before being below between both but by came can cannot come could did do does doing done down during each either else enough even ever every
  few for from further get go goes going gone got had has hast hath have having he hence her here hers herself him himself his how however i if in
  indeed into is it its itself just know least less let like little long made make many may me mean might mine more most much must my myself nay
  never no nor not nothing now o of off often oh on once one only or other others our ours out over own perhaps quite rather said same saw say says see
  seem seemed seems shall she should since so some something still such take tell than that the thee their theirs them themselves then there therefore these
  they thing things think this those thou though thought through thus thy till to too took two under until up upon us very was way we well went were what
  when where whether which while who whom whose why will with within without would ye yes yet you your yours yourself
  的 了 是 在 我 你 他 她 它 们 和 也 就 都 而 及 与 着 或 一个 没有 我们 你们 他们 这 那 不 有 说 到 上 下 去 来 要 会 把 被 让 给 又 很 再`.split(
    /\s+/,
  ),
);

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word.toLowerCase());
}

/** The words of a text that carry meaning: lower case, without function words, plural and tense endings trimmed roughly. */
export function contentWords(text: string): string[] {
  return rawWords(text)
    .map((word) => word.toLowerCase().replace(/['’]s?$/, ""))
    .filter((word) => !STOP_WORDS.has(word) && (word.length > 2 || /\p{Script=Han}/u.test(word)))
    .map(stem);
}

/** All words as written. */
export function rawWords(text: string): string[] {
  const language = languageOf(text);
  if (language === "en") return text.match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu) ?? [];
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenterFor(language, "word").segment(text))
    if (isWordLike) words.push(segment);
  return words;
}

/** Enough to let "whales" meet "whale" and "sailing" meet "sailed". */
function stem(word: string): string {
  if (word.length < 5) return word;
  return word.replace(/(?:ies|ing|ed|es|s|ly|e)$/, "");
}
