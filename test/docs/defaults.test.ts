import { globSync, readFileSync } from "node:fs";
import { DEFAULT_RETENTION_MS, DEFAULT_RETRY } from "@intermodal/core";
import { expect, test } from "vitest";
import { ROOT } from "./embed.ts";

const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const number = (text: string) => Number(text.replaceAll(/[,_]/g, ""));

/** The numbers of the tables in docs/configuration.md, by the last part of their names: one may belong to several things. */
const documented = new Map<string, number[]>();
for (const [, path, value] of read("docs/configuration.md").matchAll(/^\| `([\w.]+)` \| ([\d,]+) \|/gm)) {
  const name = (path as string).split(".").at(-1) as string;
  documented.set(name, [...(documented.get(name) ?? []), number(value as string)]);
}

const folders = ["core/src/{app,contracts,memory,run-stream,worker,workflow}", "adapter-*/src", "store-*/src"];
const sources = globSync(
  folders.map((folder) => `packages/${folder}/*.ts`),
  {
    cwd: ROOT,
    exclude: ["**/*.test*.ts"],
  },
);

/** Every option whose doc comment names a number as its default. */
const options = sources.flatMap((file) =>
  [...read(file).matchAll(/@default ([\d,]+)(?: \([^)\n]*\))?\s*\*\/\s*readonly (\w+)\?*:/g)].map(
    ([, value, name]) => ({
      file,
      name: name as string,
      value: number(value as string),
    }),
  ),
);

test("the options with a number as default were found", () => {
  const names = options.map(({ name }) => name);
  for (const name of ["heartbeatMs", "retentionMs", "maxQueuedEvents", "idleMs", "maxAttempts", "taskLeaseMs"]) {
    expect(names).toContain(name);
  }
});

test.each(options)("$file: $name is in docs/configuration.md, with the same value", ({ name, value }) => {
  expect(documented.get(name)).toContain(value);
});

test("what the code does is what is documented", () => {
  expect(documented.get("maxAttempts")).toEqual([DEFAULT_RETRY.maxAttempts]);
  expect(documented.get("retentionMs")).toEqual([DEFAULT_RETENTION_MS]);
  const code = (file: string, name: string) => {
    const [, value] = new RegExp(`${name}(?: =|:| \\?\\?| [^\\n]*\\?\\?) ([\\d_ *]+)`).exec(
      read(file).replaceAll(/\/\*[\s\S]*?\*\//g, ""),
    ) ?? [undefined, ""];
    return (value as string).split("*").reduce((product, factor) => product * number(factor.trim()), 1);
  };
  const inline = [
    ["packages/core/src/run-stream/http.ts", "heartbeatMs"],
    ["packages/core/src/run-stream/http.ts", "maxBufferedBytes"],
    ["packages/core/src/run-stream/run-follower.ts", "idleMs"],
    ["packages/core/src/run-stream/run-follower.ts", "maxMs"],
    ["packages/core/src/run-stream/writer.ts", "maxQueuedEvents"],
    ["packages/core/src/run-stream/writer.ts", "maxQueuedBytes"],
    ["packages/core/src/run-stream/writer.ts", "flushMs"],
    ["packages/core/src/contracts/retry.ts", "initialMs"],
    ["packages/core/src/contracts/retry.ts", "factor"],
    ...["maxEvents", "maxCommands", "maxDeadLetters", "maxStreamEvents", "maxFinishedTasks", "maxPayloadBytes"].map(
      (name) => ["packages/core/src/memory/limits.ts", name],
    ),
  ] as const;
  for (const [file, name] of inline)
    expect(documented.get(name as string), name).toContain(code(file as string, name as string));
});
