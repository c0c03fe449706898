import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const script = resolve(import.meta.dirname, "with-toolchain.cjs");
const folder = mkdtempSync(join(tmpdir(), "intermodal-toolchain-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

/** Collects what a process prints, line by line. */
async function* lines(child: ChildProcess): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of child.stdout ?? []) {
    const parts = (rest + String(chunk)).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

describe("with-toolchain", () => {
  test("runs TypeScript on the pinned Node, with the arguments as they are, and keeps the exit code", () => {
    const file = program(
      "arguments.ts",
      `const seen: string[] = process.argv.slice(2);
       console.log(JSON.stringify({ seen, version: process.version }));
       process.exit(7);`,
    );
    const { stdout, status } = spawnSync(process.execPath, [script, file, "a b", "--flag"], { encoding: "utf8" });
    expect(JSON.parse(stdout)).toEqual({ seen: ["a b", "--flag"], version: process.version });
    expect(status).toBe(7);
  });

  test.skipIf(process.platform === "win32").each([
    ["the starter", (pid: number) => process.kill(pid, "SIGINT")],
    ["the whole process group, as a terminal does", (pid: number) => process.kill(-pid, "SIGINT")],
    [
      "the group, and once more by npm",
      (pid: number) => {
        process.kill(-pid, "SIGINT");
        process.kill(pid, "SIGINT");
      },
    ],
  ])("one SIGINT for %s is one SIGINT for the program", async (_, interrupt) => {
    const file = program(
      "interrupted.ts",
      `let count = 0;
       process.on("SIGINT", () => {
         count++;
         setTimeout(() => process.exit(40 + count), 300);
       });
       setInterval(() => {}, 1_000);
       console.log("ready");`,
    );
    const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"], detached: true });
    const ended = new Promise<number | null>((settle) => child.once("exit", (code) => settle(code)));
    for await (const line of lines(child)) {
      if (line === "ready") interrupt(child.pid ?? Number.NaN);
    }
    expect(await ended).toBe(41);
  });

  test.skipIf(process.platform === "win32")("when the starter is killed outright, the program ends", async () => {
    const file = program("orphan.ts", `setInterval(() => {}, 1_000); console.log(process.pid);`);
    const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
    // The output ends when the last process that holds it has ended.
    for await (const line of lines(child)) {
      expect(Number(line)).not.toBe(child.pid);
      child.kill("SIGKILL");
    }
  });
});
