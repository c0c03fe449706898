import { contentWords } from "./words.ts";

/** A label and the words that speak for it, reduced as `contentWords` reduces a text. */
export interface Cue {
  readonly label: string;
  readonly words: ReadonlySet<string>;
}

function cues(table: Readonly<Record<string, string>>): Cue[] {
  return Object.entries(table).map(([label, words]) => ({ label, words: new Set(contentWords(words)) }));
}

export const PLACES = cues({
  "aboard ship":
    "ship deck mast masts helm forecastle hatchway rigging bulwarks sail sails crew mates tiller cabin capstan prow",
  "in a boat on open water": "boat boats oars oarsmen oar rowing harpoon lowering paddles canoe raft",
  "at sea": "sea waves ocean waters whale whales swell foam billows surf horizon",
  "at an inn": "inn landlord tavern supper guests innkeeper ale",
  "in church": "church chapel pulpit altar congregation sermon hymn pew",
  "in the streets of a town": "street streets town city pavement shops corner houses market crowd wharf docks",
  indoors: "room door window chamber house table chair bed stairs fire candle parlour bedroom carpet sofa",
  "in the country": "fields field meadow farm village hill hills lane hedge grass barn cottage",
  "in the woods": "forest woods wood trees branches path oak pine",
  "in a garden": "garden flowers lawn roses terrace hothouse orchard",
  "in the mountains": "mountain mountains rocks cliff valley pass snow peak ravine cave",
  "on the road": "road coach horses carriage journey driver cart travellers inns horseback",
  "by train": "train station railway compartment engine passengers platform",
  "at court": "palace court throne castle prince princess king queen courtiers",
  "on a battlefield": "battle soldiers army cannon regiment enemy bayonet musket trench general",
  "in a schoolroom": "school class schoolmaster pupils lesson teacher desk",
  "before the law": "court judge jury prisoner witness counsel trial verdict lawyer",
  "in prison": "prison cell dungeon gaol jailer chains bars",
  "on the shore": "shore beach sand cliffs tide harbour coast island",
});

export const TIMES = cues({
  "at dawn": "dawn sunrise daybreak daylight",
  "in the morning": "morning breakfast forenoon",
  "at noon": "noon midday noonday",
  "in the afternoon": "afternoon tea",
  "at dusk": "dusk sunset twilight gloaming nightfall",
  "in the evening": "evening supper",
  "at night": "night midnight darkness moon moonlight stars lantern candle candles",
});

export const MOODS = cues({
  ominous:
    "doom fate omen portent warning prophecy evil dread shadow shadows curse cursed devil dark darkness grave coffin strange",
  fearful:
    "fear terror horror afraid frightened trembling shudder panic scream affright appalled ghastly terrible dreadful",
  violent:
    "blood kill killed strike struck wound fight battle fury rage sword harpoon lance darted stabbed crash slaughter",
  melancholy: "grief sorrow sad tears weep wept lonely lone mourn gloom desolate sigh widow lost forlorn despair",
  joyful: "joy merry laugh laughed laughing happy delight smile smiled dance song cheer jolly glad gay",
  tender: "love loved dear heart kiss gentle tender sweet friend embrace affection beloved bosom",
  peaceful: "calm quiet peace peaceful serene mild rest soft sleep still silence tranquil gently",
  wrathful: "anger angry wrath hate hatred vengeance revenge mad madness furious scorn malice",
  solemn: "god prayer pray soul holy solemn heaven eternal divine sacred death mortal immortal lord",
  comic: "queer joke comical absurd ridiculous grin fun funny laughable humour droll nonsense curious",
  adventurous: "voyage adventure chase pursuit danger perilous wild storm gale escape swift brave bold hunt",
  scholarly:
    "species science history author authors according naturalist learned account instance measure anatomy book ancient skeleton chapter matter subject",
  bustling: "business work busy hands carpenter forge tools bustle preparation stowing provisions order",
});

/** The cue whose words occur most. Cues with few words are not put at a disadvantage; fewer than two occurrences say nothing. */
export function leadingCue(table: readonly Cue[], words: readonly string[]): Cue | undefined {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  let leading: Cue | undefined;
  let most = 0;
  for (const cue of table) {
    const occurrences = [...cue.words].map((word) => counts.get(word) ?? 0).filter((count) => count > 0);
    // A word that is everywhere in the text counts less than several different ones.
    const weight = occurrences.reduce((sum, count) => sum + Math.sqrt(count), 0) / Math.sqrt(cue.words.size);
    const total = occurrences.reduce((sum, count) => sum + count, 0);
    if (total < 2 || weight <= most) continue;
    leading = cue;
    most = weight;
  }
  return leading;
}
