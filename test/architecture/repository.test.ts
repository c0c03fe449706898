import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
/** Lines: of what is only listed, and of what fails. Tests may be longer, since their cases don't depend on each other. */
const LONG = 300;
const TOO_LONG = { source: 400, test: 600 };

function read(file: string): string {
  return readFileSync(resolve(root, file), "utf8");
}

function files(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/dist/**"] }).sort();
  expect(found, patterns.join(" ")).not.toEqual([]);
  return found;
}

describe("sizes", () => {
  test(`no source file has more than ${TOO_LONG.source} lines, no test file more than ${TOO_LONG.test}`, () => {
    const sizes = files("packages/*/src/**/*.ts")
      .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
      .filter(({ lines }) => lines > LONG)
      .sort((a, b) => b.lines - a.lines);
    for (const { file, lines } of sizes) console.log(`${file}: ${lines} lines, over ${LONG}`);
    const limit = (file: string) => (/[.]test(-d)?[.]ts$/.test(file) ? TOO_LONG.test : TOO_LONG.source);
    expect(sizes.filter(({ file, lines }) => lines > limit(file))).toEqual([]);
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

interface Locked {
  integrity?: string;
  link?: boolean;
  optionalDependencies?: Record<string, string>;
  resolved?: string;
}

describe.each(files("package-lock.json", "test/**/package-lock.json"))("%s", (file) => {
  const { packages } = JSON.parse(read(file)) as { packages: Record<string, Locked> };
  const installed = Object.entries(packages).filter(([location, { link }]) => {
    return location.includes("node_modules/") && link !== true;
  });

  test("holds no address that anything came from", () => {
    expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test("holds a checksum of everything", () => {
    expect(installed.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  });

  test("holds what other platforms need", () => {
    const names = new Set(installed.map(([location]) => location.replace(/^.*node_modules\//, "")));
    const optional = installed.flatMap(([, { optionalDependencies }]) => Object.keys(optionalDependencies ?? {}));
    expect(optional.filter((name) => !names.has(name))).toEqual([]);
  });
});
