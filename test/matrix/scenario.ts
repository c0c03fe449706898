import { createApp, defineEvent, defineTask, exponential, type RunEntry } from "@intermodal/core";
import { silentLogger } from "@intermodal/core/ports";
import { z } from "zod";

const quick = (maxAttempts: number) => ({ maxAttempts, backoff: exponential({ initialMs: 20, maxMs: 50 }) });

const book = z.object({ title: z.string(), chapters: z.number() });
const chapter = z.object({ title: z.string(), chapter: z.number() });
const split = defineTask("book.split", { input: book, output: z.array(z.number()), retry: quick(3) });
const summarise = defineTask("chapter.summarise", { input: chapter, output: z.string(), retry: quick(3) });
const illustrate = defineTask("book.illustrate", { input: book, output: z.string(), retry: quick(2) });
const importBook = defineTask("book.import", { input: book, output: z.array(z.string()), retry: quick(3) });
const imported = defineEvent("book.imported", { data: z.object({ title: z.string(), summaries: z.number() }) });

/** What a scenario came to, to be compared between carriers. */
export interface Outcome {
  readonly result: readonly string[];
  readonly status: string;
  readonly children: unknown;
  /** Names in the run's stream with how often each came, lifecycle and the application's own. */
  readonly entries: Readonly<Record<string, number>>;
  readonly gapless: boolean;
  readonly sameAgain: boolean;
  readonly told: readonly unknown[];
  readonly dead: readonly unknown[];
  readonly deadAfterReplay: number;
  readonly afterReplay: { readonly status: string; readonly result: unknown };
  readonly starts: Readonly<Record<string, number>>;
}

export interface Urls {
  readonly commands: string;
  readonly events: string;
  readonly state: string;
  readonly streams: string;
}

/**
 * Imports a book: a workflow of steps, of which one fails at first; sub-tasks that it hands out, of which one fails at first; a task that ends in the dead letters and is replayed; an event to
 * two listeners; and the run's stream, followed live and read again. Nothing in it knows what it runs on.
 */
export async function runScenario(urls: Urls, namespace: string): Promise<Outcome> {
  const options = { ...urls, namespace, logger: silentLogger, singleProcess: true };
  const worker = createApp({ ...options, name: "library", concurrency: 4 });
  const client = createApp({ ...options, name: "reader" });
  const starts: Record<string, number> = {};
  const count = (name: string) => {
    starts[name] = (starts[name] ?? 0) + 1;
    return starts[name];
  };
  const told: unknown[] = [];
  let hasPaint = false;

  worker.handle(split, ({ chapters }) => {
    if (count("split") === 1) throw new Error("the spine is stiff");
    return Array.from({ length: chapters }, (_, n) => n + 1);
  });
  worker.handle(summarise, ({ title, chapter: n }, ctx) => {
    const start = count(`summarise ${n}`);
    if (n === 2 && start === 1) throw new Error("pages stick together");
    ctx.emit("summary", { chapter: n });
    return `${title}, chapter ${n}`;
  });
  worker.handle(illustrate, ({ title }) => {
    count("illustrate");
    if (!hasPaint) throw new Error("no paint");
    return `${title} in colours`;
  });
  worker.handle(importBook, async (input, ctx) => {
    count("import");
    const chapters = await ctx.call(split, input);
    await ctx.submit(summarise, { title: input.title, chapter: 99 }, { key: "appendix" });
    const summaries = await Promise.all(
      chapters.map((n) => ctx.call(summarise, { title: input.title, chapter: n }, { key: `chapter ${n}` })),
    );
    await ctx.publish(imported, { title: input.title, summaries: summaries.length });
    return summaries;
  });
  for (const listener of ["index", "newsletter"])
    worker.on(imported, { listener }, ({ data }) => void told.push([listener, data]));

  try {
    await worker.start();
    const task = await client.submit(importBook, { title: "Typee", chapters: 3 }, { id: "typee", userId: "herman" });
    const live: RunEntry[] = [];
    for await (const entry of task.stream()) live.push(entry);
    const result = await task.result({ timeoutMs: 60_000 });
    const again: RunEntry[] = [];
    for await (const entry of task.stream()) again.push(entry);
    const { status, children } = await task.status();

    const failing = await client.submit(illustrate, { title: "Typee", chapters: 3 }, { id: "plates" });
    await failing.result({ timeoutMs: 60_000 }).catch(() => undefined);
    const { items: dead } = await client.tasks.list({ status: "DEAD_LETTER" });
    await until(async () => (await client.inspectQueue()).dead === 1);
    hasPaint = true;
    await failing.replay();
    const painted = await failing.result({ timeoutMs: 60_000 });
    await until(async () => (await client.inspectQueue()).dead === 0);
    await until(() => told.length >= 2);

    return {
      result,
      status,
      children,
      entries: countNames(live),
      gapless: live.every((entry, at) => "sequence" in entry && entry.sequence === at + 1),
      sameAgain: JSON.stringify(again) === JSON.stringify(live),
      told: told.toSorted((a, b) => String(a).localeCompare(String(b))),
      dead: dead.map(({ id, type, attempts, error }) => [id, type, attempts, error?.message]),
      deadAfterReplay: (await client.tasks.list({ status: "DEAD_LETTER" })).items.length,
      afterReplay: { status: (await failing.status()).status, result: painted },
      starts,
    };
  } finally {
    await Promise.all([worker.stop(), client.stop()]);
  }
}

function countNames(entries: readonly RunEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of entries) {
    const name = "gap" in entry ? "gap" : entry.name;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Waits for what comes a moment later, such as a dead letter at the broker. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
