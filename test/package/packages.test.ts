// The packages as they will be published: packed, installed into an empty project, and used from there.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { problemAffectsResolutionKind } from "@arethetypeswrong/core/problems";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleForBrowser, exportedInBrowser } from "./browser.ts";
import { build, consumer, type PackedPackage, pack, root, runtimes } from "./pack.ts";

/** Of what a browser gets, minified, without compression. */
const LIMIT_BYTES = 12_000;
const folders = [
  "packages/core",
  "packages/conformance",
  "packages/adapter-nats",
  "packages/adapter-rabbit",
  "packages/store-redis",
  "packages/store-mongo",
];
const temporary = mkdtempSync(join(tmpdir(), "intermodal-package-"));
const project = join(temporary, "consumer");
let packages: PackedPackage[];

beforeAll(() => {
  build();
  packages = folders.map((folder) => pack(folder, temporary));
  consumer(project, packages);
}, 180_000);

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function packed(folder: string): PackedPackage & { data: Buffer<ArrayBuffer> } {
  const found = packages[folders.indexOf(folder)];
  if (found === undefined) throw new Error(`${folder} was not packed`);
  return { ...found, data: readFileSync(found.tarball) };
}

describe.each(folders)("%s", (folder) => {
  test("publint has nothing to say", async () => {
    const { data } = packed(folder);
    const tarball = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  // Resolution without `exports` (node10) finds no subpath of any package that has them. That the ES modules can be required
  // is what the tests below show, with the compiler and at run time; this tool still says that they can't.
  test("arethetypeswrong finds nothing wrong", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(packed(folder).data));
    if (analysis.types === false) throw new Error("the package has no types");
    const problems = analysis.problems.filter((problem) => {
      if (problem.kind === "CJSResolvesToESM") return false;
      return (["node16-cjs", "node16-esm", "bundler"] as const).some((kind) => {
        return problemAffectsResolutionKind(problem, kind, analysis);
      });
    });
    expect(problems).toEqual([]);
  });
});

describe("types, for a project that has the packages installed", () => {
  const imports = (entryPoints: string[]) => {
    return [
      ...entryPoints.map((entryPoint, n) => `import * as entry${n} from "${entryPoint}";`),
      `export const all: object[] = [${entryPoints.map((_, n) => `entry${n}`).join(", ")}];`,
    ].join("\n");
  };

  test.each([
    ["ES modules of Node", "nodenext", "nodenext", "esm.mts"],
    ["CommonJS of Node, which requires them", "nodenext", "nodenext", "cjs.cts"],
    ["a bundler", "esnext", "bundler", "bundled.ts"],
  ])("compile: %s", { timeout: 120_000 }, (_, module, moduleResolution, file) => {
    const ours = (withDrivers: boolean) =>
      packages.filter(({ name }) => withDrivers || !/adapter-|store-/.test(name)).flatMap((each) => each.entryPoints);
    const options = {
      module,
      moduleResolution,
      target: "es2023",
      lib: ["es2023"],
      types: ["node"],
      strict: true,
      noEmit: true,
    };
    const typeRoots = [join(root, "node_modules/@types")];
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    // The types of a driver do not pass the strictest of the compiler's checks.
    for (const exactOptionalPropertyTypes of [true, false]) {
      writeFileSync(join(project, file), imports(ours(!exactOptionalPropertyTypes)));
      const tsconfig = { compilerOptions: { ...options, typeRoots, exactOptionalPropertyTypes }, files: [file] };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify(tsconfig));
      expect(run(process.execPath, [tsc, "--project", project], project)).toBe("");
    }
  });
});

describe.each(["lowest", "newest"] as const)("on the %s Node", (which) => {
  let node: string | undefined;

  beforeAll(() => {
    node = runtimes()[which];
  }, 300_000);

  test("every entry point loads by import and by require, as the same module", ({ skip }) => {
    const missing = `npm has no build of the ${which} Node for ${process.platform}-${process.arch}`;
    if (node === undefined && process.env.CI === undefined) skip(missing);
    if (node === undefined) throw new Error(missing);
    const entryPoints = packages.flatMap((each) => each.entryPoints);
    writeFileSync(
      join(project, "load.cjs"),
      `(async () => {
        for (const entryPoint of ${JSON.stringify(entryPoints)}) {
          const required = require(entryPoint);
          if (required !== (await import(entryPoint))) throw new Error(entryPoint + " was loaded twice");
          console.log(entryPoint);
        }
      })();`,
    );
    expect(run(node, ["--no-warnings", "load.cjs"], project).trim().split("\n")).toEqual(entryPoints);
    const imports = entryPoints.map((entryPoint) => `await import(${JSON.stringify(entryPoint)});`);
    writeFileSync(join(project, "load.mjs"), `${imports.join("\n")}\nconsole.log("loaded");\n`);
    expect(run(node, ["load.mjs"], project).trim()).toBe("loaded");
  });

  test("a workflow runs to its end, is followed, and the process ends by itself", () => {
    if (node === undefined) return;
    writeFileSync(join(project, "program.mjs"), PROGRAM);
    expect(run(node, ["program.mjs"], project).trim().split("\n")).toEqual([
      "lifecycle.started",
      "task.started",
      "task.completed",
      "lifecycle.completed",
      "42",
    ]);
  });
});

/** What a host may write, in plain JavaScript, over the published build. */
const PROGRAM = `
  import { createApp, defineTask } from "@intermodal/core";
  const any = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
  const double = defineTask("double", { input: any, output: any });
  const answer = defineTask("answer", { input: any, output: any });
  const app = createApp({ name: "program" });
  app.handle(double, (n) => 2 * n);
  app.handle(answer, (n, ctx) => ctx.call(double, n));
  await app.start();
  const task = await app.submit(answer, 21);
  for await (const { name } of task.stream()) console.log(name);
  console.log(await task.result());
  await app.stop();
`;

describe.each([
  ["@intermodal/core/contracts", "defineTask"],
  ["@intermodal/core/client", undefined],
])("%s in a browser", (entryPoint, name) => {
  test("is bundled without anything of Node, is small, and runs", async () => {
    const code = await bundleForBrowser(entryPoint, project);
    console.log(`${entryPoint}: ${code.length} bytes minified`);
    expect(code.length).toBeLessThan(LIMIT_BYTES);
    const names = exportedInBrowser(code);
    expect(names).not.toEqual([]);
    if (name !== undefined) expect(names).toContain(name);
  });
});

function run(command: string, args: string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: "pipe", env: { PATH: process.env.PATH } });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}
