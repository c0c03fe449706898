import { languageOf, paragraphsOf, type Sentence, sentencesOf } from "./sentences.ts";
import { contentWords } from "./words.ts";

export interface SummaryOptions {
  /** The most sentences. */
  readonly sentences: number;
  /**
   * The most characters of the summary.
   * @default 700
   */
  readonly maxCharacters?: number | undefined;
}

interface Candidate {
  readonly index: number;
  readonly text: string;
  readonly terms: ReadonlyMap<string, number>;
  score: number;
}

/** Sentences past these are left out of the ranking, evenly, so that time stays bounded for any text. */
const MOST_CANDIDATES = 600;
/** A text of so few characters is its own summary. */
const SHORT_ENOUGH = 280;
const DAMPING = 0.85;
const ROUNDS = 20;
/** A sentence with less than this share of the best one's score has little to do with the text. */
const OFF_TOPIC = 0.15;
/** How like a chosen sentence another may be before it counts as a repetition. */
const REPETITION = 0.5;

/**
 * Summarises a text by its own most telling sentences, in their order. The same text gives the same summary.
 *
 * Sentences are ranked as in LexRank (a sentence counts as far as others, that count themselves, share its rarer words), then by where they
 * stand and how well they read alone. Quotations are never cut; a sentence that is too long is shortened at the end of a clause.
 */
export function summarise(text: string, { sentences, maxCharacters = 700 }: SummaryOptions): string {
  const list = describeList(text);
  if (list !== undefined) return shorten(list, maxCharacters);
  const flat = paragraphsOf(text).join(spaceIn(text));
  if (flat.length <= Math.min(SHORT_ENOUGH, maxCharacters)) return flat;
  const all = sentencesOf(text);
  const candidates = rank(all, maxCharacters);
  const chosen = choose(candidates, sentences, maxCharacters);
  if (chosen.length > 0) return chosen.map((candidate) => candidate.text).join(spaceIn(text));
  return shorten(flat, maxCharacters);
}

/** What stands between sentences: nothing in Chinese and Japanese. */
function spaceIn(text: string): string {
  return languageOf(text) === "en" ? " " : "";
}

/** A table of contents and the like has no sentences to choose from: says what it lists. `undefined` for any other text. */
export function describeList(text: string): string | undefined {
  const entries = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const isEntry = (line: string) => line.length < 100 && !/[,;!?"”]$/.test(line) && !/[.!?] \p{Lu}.*[.!?] /u.test(line);
  const headings = entries.filter((line) => isEntry(line) && /^(?:chapter|part|book|[IVXLC]+\.|\d+[.:])\s/i.test(line));
  if (entries.length < 8 || headings.length < entries.length / 2) return undefined;
  const plain = (line = "") => line.replace(/\.$/, "").replace(/\s+/g, " ");
  return `A list of ${entries.length} entries, from “${plain(entries[0])}” to “${plain(entries.at(-1))}”.`;
}

function rank(sentences: readonly Sentence[], maxCharacters: number): Candidate[] {
  const fits = ({ text, balanced }: Sentence) => balanced && text.length <= maxCharacters;
  const fitting = sentences.map((sentence, index) => ({ sentence, index })).filter(({ sentence }) => fits(sentence));
  const step = Math.max(1, fitting.length / MOST_CANDIDATES);
  const candidates: Candidate[] = [];
  for (let at = 0; at < fitting.length; at += step) {
    const { sentence, index } = fitting[Math.floor(at)] as (typeof fitting)[number];
    candidates.push({ index, text: sentence.text, terms: countTerms(sentence.text), score: 0 });
  }
  const central = centrality(weigh(candidates));
  for (const [at, candidate] of candidates.entries()) {
    candidate.score =
      (central[at] ?? 0) * positionFactor(candidate.index, sentences.length) * readability(candidate.text);
  }
  return candidates;
}

function countTerms(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of contentWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

type Vector = ReadonlyMap<string, number>;

/** TF-IDF within the text, each vector of length 1. */
function weigh(candidates: readonly Candidate[]): Vector[] {
  const documents = new Map<string, number>();
  for (const { terms } of candidates)
    for (const term of terms.keys()) documents.set(term, (documents.get(term) ?? 0) + 1);
  return candidates.map(({ terms }) => {
    const vector = new Map<string, number>();
    let squares = 0;
    for (const [term, count] of terms) {
      const weight = (1 + Math.log(count)) * Math.log(1 + candidates.length / (documents.get(term) ?? 1));
      vector.set(term, weight);
      squares += weight * weight;
    }
    const length = Math.sqrt(squares) || 1;
    for (const [term, weight] of vector) vector.set(term, weight / length);
    return vector;
  });
}

/** PageRank over the graph of sentences that share words. Scores are 1 on average. */
function centrality(vectors: readonly Vector[]): number[] {
  const links = similarities(vectors);
  const sums = links.map((row) => row.reduce((sum, [, weight]) => sum + weight, 0));
  let scores = vectors.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) {
    const next = vectors.map(() => 1 - DAMPING);
    for (const [from, row] of links.entries()) {
      const share = (DAMPING * (scores[from] ?? 0)) / (sums[from] || 1);
      for (const [to, weight] of row) next[to] = (next[to] ?? 0) + share * weight;
    }
    scores = next;
  }
  return scores;
}

function similarities(vectors: readonly Vector[]): [to: number, weight: number][][] {
  const holders = new Map<string, number[]>();
  const links: [number, number][][] = vectors.map(() => []);
  for (const [index, vector] of vectors.entries()) {
    const shared = new Map<number, number>();
    for (const [term, weight] of vector) {
      const earlier = holders.get(term) ?? [];
      for (const other of earlier) {
        shared.set(other, (shared.get(other) ?? 0) + weight * (vectors[other]?.get(term) ?? 0));
      }
      earlier.push(index);
      holders.set(term, earlier);
    }
    for (const [other, weight] of shared) {
      links[index]?.push([other, weight]);
      links[other]?.push([index, weight]);
    }
  }
  return links;
}

/** Openings set the scene and endings resolve it. */
function positionFactor(index: number, total: number): number {
  if (index === 0) return 1.5;
  if (index < 3) return 1.2;
  return index >= total - 2 ? 1.25 : 1;
}

/** How well a sentence reads without those around it. */
function readability(text: string): number {
  const words = text.split(/\s+/).length;
  let factor = 1;
  if (words < 6 && !/\p{Script=Han}/u.test(text)) factor *= 0.3;
  else if (words > 55) factor *= 0.55;
  if (/^["“«「(]/.test(text)) factor *= 0.45;
  else if (/["“«「]/.test(text)) factor *= 0.7;
  if (/^\p{Ll}/u.test(text)) factor *= 0.5;
  if (
    /^(?:And|But|Or|Nor|So|Yet|For|Because|Therefore|Thus|Hence|Then|Nevertheless|However|Moreover|Besides)\b/.test(
      text,
    )
  )
    factor *= 0.75;
  if (/^(?:He|She|It|They|This|That|These|Those|Him|Her|Such|Here|There)\b/.test(text)) factor *= 0.8;
  if (/[?？]["”]?$/.test(text)) factor *= 0.5;
  if (/[!！]["”]?$/.test(text)) factor *= 0.75;
  if (!/[.!?。！？…]["”»」'’)]*$/.test(text)) factor *= 0.3;
  return factor;
}

/** The best ones that fit together and don't repeat each other, in the order of the text. */
function choose(candidates: readonly Candidate[], sentences: number, maxCharacters: number): Candidate[] {
  const chosen: Candidate[] = [];
  let room = maxCharacters;
  const ranked = candidates.toSorted((a, b) => b.score - a.score || a.index - b.index);
  const least = (ranked[0]?.score ?? 0) * OFF_TOPIC;
  for (const candidate of ranked) {
    if (chosen.length >= sentences || candidate.score < least) break;
    if (candidate.text.length + 1 > room || chosen.some((other) => overlap(other.terms, candidate.terms) > REPETITION))
      continue;
    chosen.push(candidate);
    room -= candidate.text.length + 1;
  }
  return chosen.sort((a, b) => a.index - b.index);
}

function overlap(a: Vector, b: Vector): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const term of small.keys()) if (large.has(term)) shared++;
  return small.size === 0 ? 0 : shared / small.size;
}

/** Cuts at the end of a clause, else between words, and says so with an ellipsis. */
export function shorten(text: string, maxCharacters: number): string {
  const flat = paragraphsOf(text).join(" ");
  if (flat.length <= maxCharacters) return flat;
  const head = flat.slice(0, maxCharacters - 1);
  const clause = Math.max(...[",", ";", ":", "—", "，", "；"].map((mark) => head.lastIndexOf(mark)));
  const end = clause > maxCharacters / 2 ? clause : head.lastIndexOf(" ");
  return `${(end > 0 ? head.slice(0, end) : head).trimEnd()}…`;
}
