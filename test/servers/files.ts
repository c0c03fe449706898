import { open } from "node:fs/promises";

/** The last bytes of a file, "" when there is none. */
export async function readTail(path: string, bytes: number): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString().trim();
  } catch {
    return "";
  }
}
