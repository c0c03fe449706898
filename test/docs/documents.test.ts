import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DEFAULTS } from "@intermodal/core";
import { expect, test } from "vitest";
import { embed, embedded, ROOT } from "./embed.ts";

const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...globSync("{packages,examples}/**/README.md", { cwd: ROOT, exclude: ["**/node_modules/**"] }),
  ...globSync("docs/**/*.md", { cwd: ROOT, exclude: ["docs/api/**"] }),
];

test.each(documents)("%s shows the files it names as they are", (path) => {
  expect(embed(read(path))).toBe(read(path));
});

test.each(documents)("%s links to files that exist", (path) => {
  const links = [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] as string);
  const missing = links.filter((link) => !existsSync(new URL(link, new URL(path, ROOT))));
  expect(missing).toEqual([]);
});

test("the README's example prints what the README says", () => {
  expect(embedded(read("README.md"))).toContain("examples/first-page/sender.ts");
  expect(run("examples/first-page/sender.ts")).toBe(read("examples/first-page/output.txt"));
});

test("every error code has a heading in docs/errors.md, and no other has one", () => {
  const source = read("packages/core/src/errors.ts");
  const codes = [...(/type ErrorCode =([^;]+);/.exec(source)?.[1] ?? "").matchAll(/"(\w+)"/g)].map((match) => match[1]);
  const headings = [...read("docs/errors.md").matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
  expect(codes.length).toBeGreaterThan(20);
  expect(headings).toEqual(codes);
});

test("every error code is raised or tested for somewhere", () => {
  const source = globSync("packages/*/src/**/*.ts", { cwd: ROOT, exclude: ["**/*.test*"] })
    .filter((path) => !path.endsWith("core/src/errors.ts"))
    .map(read)
    .join("\n");
  const codes = [...read("docs/errors.md").matchAll(/^## (\w+)$/gm)].map((match) => match[1] as string);
  expect(codes.filter((code) => !source.includes(`"${code}"`))).toEqual([]);
});

test("docs/configuration.md has every default, with its value", () => {
  const rows = [...read("docs/configuration.md").matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)].map((match) => [
    match[1],
    Number((match[2] as string).replaceAll(",", "")),
  ]);
  expect(Object.fromEntries(rows)).toEqual(DEFAULTS);
});

function run(path: string): string {
  const file = fileURLToPath(new URL(path, ROOT));
  const { INTERMODAL_URL: _, NODE_ENV: __, ...env } = process.env;
  return execFileSync(process.execPath, ["--conditions=@intermodal/source", file], { encoding: "utf8", env });
}
