// The agent: plain functions that know nothing of the SDK. They are handed what they may do.
import type { AgentEvents, AgentProgress } from "./contracts.ts";
import { PASSAGES, ratio, read, search } from "./library.ts";
import { randomFrom } from "./random.ts";

export interface Surroundings {
  emit<Name extends keyof AgentEvents>(name: Name, data: AgentEvents[Name]): void;
  progress(progress: AgentProgress): void;
  /** Rejects when the run is cancelled. */
  pause(pauseMs: number): Promise<void>;
}

/** Plans, looks things up with its tools, and writes an answer token by token. */
export async function answerQuestion(
  { question, seed, paceMs }: { readonly question: string; readonly seed: number; readonly paceMs: number },
  surroundings: Surroundings,
): Promise<{ answer: string; toolCalls: number }> {
  const random = randomFrom(seed);
  const think = (longer = 1) => surroundings.pause(paceMs * longer * (0.5 + random()));
  let toolCalls = 0;
  const use = async (tool: string, input: string, work: () => string) => {
    const call = ++toolCalls;
    surroundings.emit("tool.call", { call, tool, input });
    await think(4);
    const output = work();
    surroundings.emit("tool.result", { call, output });
    return output;
  };

  const titles = topics(question, random);
  surroundings.emit("plan", { steps: titles.map((title) => `look up “${title}”`) });
  const notes: string[] = [];
  for (const [done, title] of titles.entries()) {
    surroundings.progress({ done, total: titles.length + 1, doing: `looking up “${title}”` });
    await think(2);
    if (done === 0 || random() < 0.5) {
      const query = done === 0 ? question : title;
      await use("search", query, () => hitList(search(query)));
    }
    const note = await use("read", title, () => read(title));
    notes.push(note);
    if (/\d\.\d.*\d\.\d/.test(note)) {
      notes.push(`That is ${await use("calculate", note, () => ratio(note).toFixed(0))} times less.`);
    }
  }
  surroundings.progress({ done: titles.length, total: titles.length + 1, doing: "writing the answer" });
  const answer = notes.join(" ");
  for (const text of tokensOf(answer, random)) {
    surroundings.emit("token", { text });
    await think();
  }
  surroundings.progress({ done: titles.length + 1, total: titles.length + 1, doing: "done" });
  return { answer, toolCalls };
}

/** What to look up: first what the question is about, then what chance adds. */
function topics(question: string, random: () => number): string[] {
  const [first = "", ...others] = search(question);
  const unasked = PASSAGES.map(({ title }) => title).filter((title) => title !== first && !others.includes(title));
  const drawn = [...others, ...unasked].map((title) => ({ title, at: random() })).sort((a, b) => a.at - b.at);
  return [first, ...drawn.slice(0, 4).map(({ title }) => title)];
}

function hitList(titles: readonly string[]): string {
  return `${titles.length} ${titles.length === 1 ? "passage" : "passages"}: ${titles.join(" · ")}`;
}

/** Cut as models cut: mostly words, sometimes within one. */
function tokensOf(text: string, random: () => number): string[] {
  return (text.match(/\s?\S+/g) ?? []).flatMap((word) => {
    const cut = random() < 0.3 ? 3 : word.length;
    return [word.slice(0, cut), word.slice(cut)].filter((token) => token !== "");
  });
}
