import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Book } from "./book.ts";
import { unwrapGutenberg } from "./gutenberg.ts";
import { splitChapters } from "./split-chapters.ts";

const MOST_BYTES = 50 * 1024 * 1024;

/** The file is no book that can be read. The message says which file, what is wrong, and what would do. */
export class BookError extends Error {
  override readonly name = "BookError";
}

/**
 * Reads a book from a text file, in UTF-8, UTF-16, GB 18030 or Windows-1252.
 * @throws {BookError} when it is missing, a folder, empty, not a text, too large, or not readable.
 */
export async function readBook(file: string): Promise<Book> {
  const bytes = await readBytes(file);
  const text = decode(bytes, file);
  const { body, title, author } = unwrapGutenberg(text.replace(/\r\n?/g, "\n"));
  const chapters = splitChapters(body);
  if (chapters.length === 0) throw new BookError(`${file} has no words in it.`);
  return { title: title ?? titleFromName(file), author, chapters };
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    const about = await stat(file);
    if (about.isDirectory()) throw new BookError(`${file} is a folder. Give a text file in it.`);
    if (!about.isFile()) throw new BookError(`${file} is not a file that can be read as a book.`);
    if (about.size === 0) throw new BookError(`${file} is empty.`);
    if (about.size > MOST_BYTES)
      throw new BookError(`${file} is larger than ${MOST_BYTES / 1024 / 1024} MB, which no novel is.`);
    return await readFile(file);
  } catch (error) {
    throw error instanceof BookError ? error : new BookError(whyUnreadable(file, error), { cause: error });
  }
}

function whyUnreadable(file: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return `There is no file ${file}.`;
  if (code === "EACCES" || code === "EPERM") return `${file} may not be read by this user.`;
  return `${file} could not be read (${code ?? String(error)}).`;
}

const KNOWN_FORMATS: readonly (readonly [start: string, name: string])[] = [
  ["%PDF", "a PDF"],
  ["PK\x03\x04", "an EPUB, Word or zip file"],
  ["{\\rtf", "an RTF document"],
  ["\xD0\xCF\x11\xE0", "an old Word document"],
];

function decode(bytes: Buffer, file: string): string {
  const start = bytes.subarray(0, 4).toString("latin1");
  const known = KNOWN_FORMATS.find(([magic]) => start.startsWith(magic.slice(0, 4)));
  if (known !== undefined) throw new BookError(`${file} is ${known[1]}, not plain text. Save it as a .txt file first.`);
  const text = decodeAs(bytes, encodingOf(bytes)) ?? "";
  const controls = text.match(/(?![\t\n\v\f\r])\p{Cc}/gu)?.length ?? 0;
  if (text === "" || text.includes("\0") || controls > text.length / 100) {
    throw new BookError(`${file} is not a text file. Give a book as plain text.`);
  }
  return text;
}

function encodingOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (decodeAs(bytes, "utf-8") !== undefined) return "utf-8";
  // Older Chinese texts are nearly all high bytes, older European ones nearly none.
  const high = bytes.reduce((count, byte) => count + (byte >= 0x80 ? 1 : 0), 0);
  return high > bytes.length / 3 && decodeAs(bytes, "gb18030") !== undefined ? "gb18030" : "windows-1252";
}

/** `undefined` where the bytes are not of that encoding. */
function decodeAs(bytes: Buffer, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** "pride-and_prejudice.txt" → "Pride and prejudice". */
function titleFromName(file: string): string {
  const words = basename(file, extname(file)).replace(/[-_]+/g, " ").replace(/\s+/g, " ").trim();
  return words === "" ? "Untitled" : words.charAt(0).toUpperCase() + words.slice(1);
}
