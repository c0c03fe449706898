import { access, constants, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";

/** The file can't be written. The message says which, and why. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/**
 * Makes the folder of a file that will be written, and finds out early if that is possible.
 * @throws {OutputError}
 */
export async function prepareOutput(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw new OutputError(`${file} can't be written: ${(error as Error).message}.`, { cause: error });
  }
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory()) throw new OutputError(`${file} is a folder. Give a file with --out.`);
}

/** Writes a file that readers see whole or not at all. Writing it again is harmless. */
export async function writeWhole(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    await writeFile(unfinished, content);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** A file as people near it would name it. */
export function shownPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}
