import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const readme = readFileSync(resolve(root, "packages/conformance/README.md"), "utf8");

function block(name: string): string {
  const found = new RegExp(`<!-- run: ${name} -->\n\`\`\`ts\n(.*?)\`\`\``, "s").exec(readme)?.[1];
  if (found === undefined) throw new Error(`the README has no block that is run as ${name}`);
  return found;
}

/** Quick ones in real time, and one that has to be skipped without faults. */
const QUICK = "command-bus/(any-bytes|dead-letter-pages|survives-sender|abort-signal) ";

interface Ran {
  readonly code: number;
  readonly output: string;
}

describe("the README's ten lines, run on an adapter in real time", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "conformance-readme-"));
    symlinkSync(resolve(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "vitest.config.ts"), vitestConfig);
    cpSync(resolve(import.meta.dirname, "readme-adapter.ts"), join(folder, "my-adapter.ts"));
    const own = readFileSync(join(folder, "my-adapter.ts"), "utf8").replaceAll(
      "../../packages",
      resolve(root, "packages"),
    );
    writeFileSync(join(folder, "my-adapter.ts"), own);
    writeFileSync(join(folder, "vitest.test.ts"), block("vitest"));
    writeFileSync(join(folder, "node.test.ts"), block("node:test"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(args: readonly string[], broken: boolean): Promise<Ran> {
    const { NODE_OPTIONS: _, VITEST: __, NODE_TEST_CONTEXT: ___, ...clean } = process.env;
    const env = { ...clean, NO_COLOR: "1", BROKEN: broken ? "1" : "" };
    return new Promise((done) => {
      execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, output: stdout + stderr });
      });
    });
  }

  const runners = {
    vitest: ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", "-t", QUICK],
    "node:test": [
      "--conditions=@intermodal/source",
      "--test-reporter=tap",
      `--test-name-pattern=${QUICK}`,
      "node.test.ts",
    ],
  };

  test.each(Object.entries(runners))(
    "%s passes a good adapter and prints why a case was skipped",
    { timeout: 60_000 },
    async (_, args) => {
      const { code, output } = await run(args, false);
      expect(output).toMatch(/my adapter has no fault hook cut, mend/);
      expect(output).toContain("command-bus/any-bytes (CB-13): any bytes arrive unchanged");
      expect(code, output).toBe(0);
    },
  );

  test.each(Object.entries(runners))("%s fails an adapter that changes bytes", { timeout: 60_000 }, async (_, args) => {
    const { code, output } = await run(args, true);
    expect(output).toMatch(/the bytes of (every-byte|not-utf-8)/);
    expect(code, output).toBe(1);
  });

  test("the loop for any other runner prints what came of each case", { timeout: 60_000 }, async () => {
    const all = 'casesFor(["commandBus", "eventBus"])';
    expect(block("loop")).toContain(all);
    const quick = block("loop").replace(
      all,
      `${all}.filter(({ id }) => /command-bus.(any-bytes|abort-signal)/.test(id))`,
    );
    writeFileSync(join(folder, "loop.ts"), quick);
    const { code, output } = await run(["--conditions=@intermodal/source", "loop.ts"], false);
    expect(output.trim().split("\n")).toEqual([
      "passed command-bus/any-bytes ",
      "skipped command-bus/abort-signal my adapter has no fault hook cut, mend",
    ]);
    expect(code).toBe(0);
  });
});

const vitestConfig = `import { defineConfig } from "vitest/config";
const conditions = ["@intermodal/source", "module", "node", "development|production", "import", "default"];
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ["vitest.test.ts"] },
});
`;
