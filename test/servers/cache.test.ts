import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { forgetFailures, inCache } from "./cache.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "intermodal-cache-"));
  vi.stubEnv("INTERMODAL_TEST_CACHE", folder);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

it("makes a folder once, while others wait", async () => {
  let times = 0;
  const get = () =>
    inCache("thing", "a thing", async ({ made, run }) => {
      times++;
      await run(["/bin/sh", "-c", 'echo made >"$0/file"', made]);
    });
  const paths = await Promise.all([get(), get(), get()]);
  expect(new Set(paths)).toEqual(new Set([join(folder, "thing")]));
  expect([times, await readFile(join(folder, "thing/file"), "utf8")]).toEqual([1, "made\n"]);
  expect(await readdir(folder)).toEqual(["thing"]);
});

it("leaves nothing of what failed, and tries again only later or when told to", async () => {
  const fail = () => inCache("thing", "a thing", ({ run }) => run(["/bin/sh", "-c", "echo the reason >&2; exit 3"]));
  await expect(fail()).rejects.toThrow("a thing could not be made: the reason");
  const make = vi.fn(async () => {});
  await expect(inCache("thing", "a thing", make)).rejects.toThrow("the reason");
  expect(make).not.toHaveBeenCalled();
  await forgetFailures();
  await inCache("thing", "a thing", make);
  expect(await readdir(folder)).toEqual(["thing"]);
});

it("leaves nothing when its process is killed, and others take over", async () => {
  const program = `
    import { inCache } from ${JSON.stringify(import.meta.resolve("./cache.ts"))};
    await inCache("thing", "a thing", ({ run }) => run(["/bin/sh", "-c", "echo begun; sleep 60"]));
  `;
  const maker = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "ignore" });
  await expect.poll(async () => (await readdir(folder)).some((name) => name.includes(".partial-"))).toBe(true);
  maker.kill("SIGKILL");
  await once(maker, "exit");
  await expect.poll(() => readdir(folder), { timeout: 15_000 }).toEqual(["thing.lock"]);
  // It is told by its age that nobody holds it.
  const lock = join(folder, "thing.lock");
  await utimes(lock, new Date(0), new Date(0));
  await inCache("thing", "a thing", ({ made }) => writeFile(join(made, "file"), ""));
  expect(await readdir(folder)).toEqual(["thing"]);
});
