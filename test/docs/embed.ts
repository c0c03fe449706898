import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = new URL("../../", import.meta.url);

const EMBED = /<!-- (\S+) -->\n```(\w+)\n([\s\S]*?)```/g;

/** A document with every block that names a file (`<!-- path -->` above it) filled from that file. */
export function embed(markdown: string): string {
  return markdown.replace(EMBED, (_, path: string, language: string) => {
    const text = readFileSync(fileURLToPath(new URL(path, ROOT)), "utf8");
    return `<!-- ${path} -->\n\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
  });
}

/** The files whose text a document shows. */
export function embedded(markdown: string): readonly string[] {
  return [...markdown.matchAll(EMBED)].map((match) => match[1] as string);
}
