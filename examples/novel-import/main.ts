import { constants } from "node:os";
import { isIntermodalError } from "@intermodal/core";
import { type Book, findChapter } from "./book.ts";
import { colorsFor, createDisplay } from "./display.ts";
import { flakyModel } from "./flaky-model.ts";
import { type ImportOutcome, ImportRun, whatIsLeft } from "./import-run.ts";
import { Library } from "./library.ts";
import { extractiveModel } from "./model.ts";
import { type Options, readOptions, USAGE, UsageError } from "./options.ts";
import { OutputError, prepareOutput, shownPath } from "./output.ts";
import { BookError } from "./read-book.ts";

const WRONG_USAGE = 2;
const FAILED = 1;
const INTERRUPTED = 128;

/** npm runs in the repository's folder, the person who typed the command may be in another. */
function startFolder(): string {
  const { npm_lifecycle_event, INIT_CWD } = process.env;
  return (npm_lifecycle_event === "start" && INIT_CWD) || process.cwd();
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), startFolder());
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  const library = new Library();
  const book = await library.load(options.source);
  const model = flakyModel(extractiveModel, {
    seed: options.seed,
    callsPerSecond: options.callsPerSecond,
    neverFor: failing(book, options.failChapter),
  });
  await prepareOutput(options.file);
  return runImport(options, book, { model, library });
}

/** Tells the texts for which the model is to fail always. */
function failing(book: Book, wanted: string | undefined): ((text: string) => boolean) | undefined {
  if (wanted === undefined) return undefined;
  const chapter = findChapter(book, wanted);
  if (chapter === undefined)
    throw new UsageError(`--fail-chapter: “${book.title}” has no chapter ${JSON.stringify(wanted)}`);
  return (text) => text === chapter.text;
}

async function runImport(
  options: Options,
  book: Book,
  tools: { model: ReturnType<typeof flakyModel>; library: Library },
): Promise<number> {
  const started = performance.now();
  const { stdout } = process;
  const display = createDisplay(stdout, book.chapters.length);
  const run = new ImportRun(options, tools, display);
  const interrupted = interruption();
  display.line(`Importing “${book.title}”: ${book.chapters.length} chapters, ${options.workers} workers.`);
  try {
    const outcome = await Promise.race([run.run(), interrupted]);
    if (typeof outcome === "string") {
      display.line("Stopping: waiting for the calls that are running. Once more to stop at once.");
      const running = await run.stop();
      display.stop();
      console.log(whatIsLeft(book, run.tally) + (running === 0 ? "" : ` ${running} tasks were still running.`));
      return INTERRUPTED + constants.signals[outcome];
    }
    await run.stop();
    display.stop();
    console.log(summaryOf(book, options, outcome, performance.now() - started));
    return 0;
  } catch (error) {
    display.stop();
    await run.stop();
    throw error;
  }
}

/** Resolves with the first signal to stop. The second one ends the process at once. */
function interruption(): Promise<"SIGINT" | "SIGTERM"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(INTERRUPTED + constants.signals[signal]));
        resolve(signal);
      });
    }
  });
}

function summaryOf(book: Book, { file }: Options, outcome: ImportOutcome, ms: number): string {
  const { bold, green, yellow } = colorsFor(process.stdout);
  const { status, chapters, retries, failed, incomplete } = outcome;
  const complete = incomplete.length === 0;
  return [
    "",
    `${bold(book.title)}: ${complete ? green(status) : yellow(status)}`,
    `  chapters      ${chapters}${complete ? "" : `, ${incomplete.length} of them incomplete`}`,
    `  retries       ${retries}`,
    `  dead letters  ${failed}`,
    `  time          ${(ms / 1_000).toFixed(1)} s`,
    `  written to    ${shownPath(file)}`,
    ...incomplete.map((name) => `  incomplete    ${name}`),
  ].join("\n");
}

/** What the user can mend is told in a line; anything else is a defect, and shows where. */
function tell(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${USAGE}`);
    return WRONG_USAGE;
  }
  const isPlain = error instanceof BookError || error instanceof OutputError || isIntermodalError(error);
  console.error(isPlain ? error.message : error);
  return FAILED;
}

// Whoever reads the output may leave before its end, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : FAILED));
process.exitCode = await main().catch(tell);
