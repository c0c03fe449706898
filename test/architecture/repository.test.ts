import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const LONG = 300;
const TOO_LONG = 400;

function read(file: string): string {
  return readFileSync(resolve(root, file), "utf8");
}

function files(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/dist/**"] }).sort();
  expect(found, patterns.join(" ")).not.toEqual([]);
  return found;
}

describe("sizes", () => {
  test(`no source file has more than ${TOO_LONG} lines`, () => {
    const sizes = files("packages/*/src/**/*.ts")
      .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
      .filter(({ lines }) => lines > LONG)
      .sort((a, b) => b.lines - a.lines);
    for (const { file, lines } of sizes) console.log(`${file}: ${lines} lines, over ${LONG}`);
    expect(sizes.filter(({ lines }) => lines > TOO_LONG)).toEqual([]);
  });
});

describe("the conformance kit", () => {
  test("names no adapter, broker or driver", () => {
    const named = /\b\w*(nats|jetstream|rabbit|amqp|redis|valkey|mongo)\w*/gi;
    const found = files("packages/conformance/src/**/*.ts").flatMap((file) => {
      return [...read(file).matchAll(named)].map(([word]) => `${file}: ${word}`);
    });
    expect(found).toEqual([]);
  });
});

describe("the packages", () => {
  test("carry the licence and one version", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    for (const file of files("packages/*/package.json")) {
      expect(JSON.parse(read(file)), file).toMatchObject({ version, license: "Apache-2.0" });
      expect(read(file.replace("package.json", "LICENSE")), file).toBe(read("LICENSE"));
    }
  });
});

describe("lock files", () => {
  test.each(files("package-lock.json", "test/**/package-lock.json"))(
    "%s holds no address that anything came from",
    (file) => {
      const { packages } = JSON.parse(read(file)) as {
        packages: Record<string, { resolved?: string; link?: boolean }>;
      };
      const addresses = Object.values(packages).filter(({ resolved, link }) => resolved !== undefined && link !== true);
      expect(addresses).toEqual([]);
    },
  );
});
