/** What the agent can look up. */
export interface Passage {
  readonly title: string;
  readonly text: string;
}

export const PASSAGES: readonly Passage[] = [
  {
    title: "Ideal-X, 1956",
    text: "In April 1956 the tanker Ideal-X carried fifty-eight aluminium boxes on its deck from Newark to Houston.",
  },
  {
    title: "Loose cargo",
    text: "Before that, dockers carried sacks, crates and barrels aboard one by one, and a ship could spend as long in port as at sea.",
  },
  {
    title: "The price of a ton",
    text: "Loading a ton of loose cargo cost 5.86 dollars that year; on the Ideal-X it came to 0.16 dollars.",
  },
  {
    title: "Corner fittings",
    text: "Every box has the same cast fittings at its eight corners, so that any crane can lift it and a twistlock can fasten it to ship, truck or wagon.",
  },
  {
    title: "One size",
    text: "The sizes were agreed in the nineteen-sixties and stand in ISO 668: eight feet wide, twenty or forty feet long.",
  },
  {
    title: "Many carriers",
    text: "Whoever carries the box need not know what is in it, and whoever packs it need not know what will carry it.",
  },
  {
    title: "Seals",
    text: "A box is sealed where it is packed and opened where it is wanted; in between nobody handles the goods.",
  },
];

/** The titles that share a word with the query, best first; all of them where none does. */
export function search(query: string): string[] {
  const words = wordsOf(query);
  const scored = PASSAGES.map(({ title, text }) => {
    const found = wordsOf(`${title} ${text}`);
    return { title, score: words.filter((word) => found.includes(word)).length };
  });
  const hits = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  return (hits.length > 0 ? hits : scored).map(({ title }) => title);
}

export function read(title: string): string {
  return PASSAGES.find((passage) => passage.title === title)?.text ?? "There is no such passage.";
}

/** The numbers in a text, largest over smallest. */
export function ratio(text: string): number {
  const numbers = [...text.matchAll(/\d+\.\d+/g)].map(([digits]) => Number(digits));
  return Math.max(...numbers) / Math.min(...numbers);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}{4,}/gu) ?? [];
}
