import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { defineEvent, defineTask } from "../contracts/index.ts";
import { createTestApp } from "../testing/index.ts";
import { discover } from "./discover.ts";

const schema = z.any();
const double = defineTask("double", { input: schema, output: schema });
const doubled = defineEvent("doubled");

let folder: string;

/** A module as a host writes it, in plain JavaScript. `library` finds this package. */
function module(name: string, text: string): void {
  const library = new URL("./registry.ts", import.meta.url).href;
  const contracts = new URL("../contracts/index.ts", import.meta.url).href;
  const schemas = `const any = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };`;
  writeFileSync(
    join(folder, name),
    `import { defineHandler, defineListener } from ${JSON.stringify(library)};
    import { defineEvent, defineTask } from ${JSON.stringify(contracts)};
    ${schemas}
    ${text}`,
  );
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "intermodal-discover-"));
  module(
    "double.mjs",
    `const double = defineTask("double", { input: any, output: any });
    export const handler = defineHandler(double, async (n, ctx) => {
      await ctx.publish(defineEvent("doubled"), { n });
      return 2 * n;
    });
    export const unrelated = { intermodal: "no function" };
    export const nothing = undefined;`,
  );
  module(
    "listeners.js",
    `export const seen = [];
    export default defineListener(defineEvent("doubled"), { listener: "found" }, ({ data }) => { seen.push(data.n); });`,
  );
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(folder, "double.test.mjs"), `throw new Error("tests are not loaded");`);
  writeFileSync(join(folder, "types.d.ts"), `throw new Error("declarations are not loaded");`);
  writeFileSync(join(folder, "notes.md"), "not a module");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("handlers and listeners of a folder's modules are found, registered by name, and run", async () => {
  const { app, idle } = createTestApp();
  app.register(...(await discover(pathToFileURL(folder))));
  await app.start();
  const task = await app.submit(double, 21);
  await idle();
  expect(await task.result()).toBe(42);
  const { seen } = (await import(pathToFileURL(join(folder, "listeners.js")).href)) as { seen: number[] };
  expect(seen).toEqual([21]);
  expect((await app.health()).listeners).toEqual({ found: { handled: 1, skipped: 0, missed: 0 } });
  await app.stop();
});

test("a type that is found twice is refused by its name", async () => {
  const { app } = createTestApp();
  app.handle(double, (n) => n);
  const found = await discover(new URL(`${pathToFileURL(folder).href}/`));
  expect(() => app.register(...found)).toThrow(/"double" has a handler already/);
});

test("a module that does not load is told, not skipped", async () => {
  const broken = mkdtempSync(join(tmpdir(), "intermodal-discover-"));
  writeFileSync(join(broken, "broken.mjs"), `throw new Error("no such table");`);
  await expect(discover(pathToFileURL(broken))).rejects.toThrow("no such table");
  await expect(discover(pathToFileURL(join(broken, "missing")))).rejects.toThrow(/ENOENT/);
  rmSync(broken, { recursive: true });
});

test("what was found can't be registered after the start", async () => {
  const { app } = createTestApp();
  app.on(doubled, { listener: "other" }, () => {});
  await app.start();
  const found = await discover(pathToFileURL(folder));
  expect(() => app.register(...found)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  await app.stop();
});
