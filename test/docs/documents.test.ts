import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createApp, DEFAULTS } from "@intermodal/core";
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

/** How docs/configuration.md names what sets each default; those that nothing sets have their own names there. */
const NAMES: Readonly<Record<keyof typeof DEFAULTS, string>> = {
  concurrency: "concurrency",
  taskLeaseMs: "taskLeaseMs",
  stopTimeoutMs: "stop.timeoutMs",
  sweepIntervalMs: "sweep.intervalMs",
  sweepGraceMs: "sweep.graceMs",
  schedulePollMs: "schedules.pollMs",
  scheduleGraceMs: "schedules.graceMs",
  unknownTypeMaxAgeMs: "unknownType.maxAgeMs",
  unknownTypeDelayMs: "unknownType.delayMs",
  streamTtlMs: "streamTtlMs",
  inboxWindowMs: "inboxWindowMs",
  pollIntervalMs: "pollIntervalMs",
  streamFlushTimeoutMs: "streamFlushTimeoutMs",
};

test("docs/configuration.md has every default, with its value", () => {
  const rows = numbers(read("docs/configuration.md"));
  const documented = Object.entries(NAMES).map(([name, row]) => [name, rows.get(row)]);
  expect(Object.fromEntries(documented)).toEqual(DEFAULTS);
});

const ofCreateApp = /^Of `createApp[\s\S]*?(?=^Of `app\.stop)/m.exec(read("docs/configuration.md"))?.[0] ?? "";

test.each([...numbers(ofCreateApp).keys()])("createApp takes %s, as docs/configuration.md says", (row) => {
  expect(Object.values(NAMES)).toContain(row);
  const options = row.split(".").reduceRight<unknown>((value, name) => ({ [name]: value }), -1);
  expect(() => createApp({ name: "docs", url: "memory:", ...(options as object) })).toThrow("must be a positive");
});

test("docs/configuration.md has every option of createApp", () => {
  const source = ["options", "config"].map((file) => read(`packages/core/src/app/${file}.ts`)).join("\n");
  const interfaces = [...source.matchAll(/interface (?:AppOptions|CarrierUrls)[^{]*\{([\s\S]*?)^\}/gm)];
  const options = interfaces.flatMap(([, body]) =>
    [...(body as string).matchAll(/^ {2}readonly (\w+)/gm)].map((match) => match[1] as string),
  );
  expect(options).toEqual(expect.arrayContaining(["name", "url", "state", "signals"]));
  const text = read("docs/configuration.md");
  expect(options.filter((option) => !new RegExp(`^\\| \`${option}[.\`]`, "m").test(text))).toEqual([]);
});

/** The rows of a document's tables that give a number, by their names. */
function numbers(markdown: string): ReadonlyMap<string, number> {
  const rows = markdown.matchAll(/^\| `([\w.]+)` \| ([\d,]+) \|/gm);
  return new Map([...rows].map(([, name, value]) => [name as string, Number((value as string).replaceAll(",", ""))]));
}

function run(path: string): string {
  const file = fileURLToPath(new URL(path, ROOT));
  const { INTERMODAL_URL: _, NODE_ENV: __, ...env } = process.env;
  return execFileSync(process.execPath, ["--conditions=@intermodal/source", file], { encoding: "utf8", env });
}
