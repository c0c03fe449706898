import { basename, extname, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BookSource } from "./contracts.ts";

export const USAGE = `npm start                              imports Moby-Dick
npm start -- path/to/book.txt          imports any novel in plain text

  --out FILE          where to write the result          (default: out/<book>.md)
  --workers N         apps that share the work            (default: 2)
  --rate N            calls per second the model allows   (default: 40)
  --seed N            which calls of the model fail       (default: 1851)
  --fail-chapter N    a chapter that never succeeds: its number, or a name such as epilogue
  --help

INTERMODAL_URL, or INTERMODAL_COMMANDS, _EVENTS, _STATE and _STREAMS, choose the carriers (default: in memory).`;

/** The command line can't be understood. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Options {
  readonly source: BookSource;
  /** Absolute. */
  readonly file: string;
  readonly workers: number;
  readonly callsPerSecond: number;
  readonly seed: number;
  readonly failChapter: string | undefined;
}

/**
 * Reads the command line; relative paths start at `folder`.
 * @returns "help" when that was asked for.
 * @throws {UsageError}
 */
export function readOptions(args: readonly string[], folder: string): Options | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [book, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`one book at a time, please: ${positionals.join(", ")}`);
  if (book === "" || values.out === "") throw new UsageError("a file name is empty");
  const name = book === undefined ? "moby-dick" : basename(book, extname(book));
  return {
    source: book === undefined ? { kind: "moby-dick" } : { kind: "file", path: resolve(folder, book) },
    file: resolve(folder, values.out ?? `out/${name}.md`),
    workers: wholeNumber("--workers", values.workers, 1, 64),
    callsPerSecond: wholeNumber("--rate", values.rate, 1, 1_000_000),
    seed: wholeNumber("--seed", values.seed, 0, Number.MAX_SAFE_INTEGER),
    failChapter: values["fail-chapter"],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: { type: "string" },
        workers: { type: "string", default: "2" },
        rate: { type: "string", default: "40" },
        seed: { type: "string", default: "1851" },
        "fail-chapter": { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\s+/g, " ").replace(/\. To specify.*$/, ""), {
      cause: error,
    });
  }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${option} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
}
