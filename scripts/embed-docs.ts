/** Fills the code blocks of the documents from the example files they name. The tests fail while a document differs. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { embed, ROOT } from "../test/docs/embed.ts";

for (const path of [
  "README.md",
  ...globSync("docs/**/*.md", { cwd: ROOT }).filter((file) => !file.startsWith("docs/api")),
]) {
  const file = new URL(path, ROOT);
  const before = readFileSync(file, "utf8");
  const after = embed(before);
  if (after !== before) {
    writeFileSync(file, after);
    console.log(`filled ${path}`);
  }
}
