import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

/** Runs an example as its reader would, without anything configured. */
async function outputOf(path: string): Promise<string> {
  const { INTERMODAL_URL: _, NODE_ENV: __, ...env } = process.env;
  const file = fileURLToPath(new URL(path, import.meta.url));
  const { stdout, stderr } = await run(process.execPath, ["--conditions=@intermodal/source", file], { env });
  expect(stderr).toBe("");
  return stdout;
}

test("workflow: a step that is finished is not run again", async () => {
  const lines = (await outputOf("workflow/main.ts")).trimEnd().split("\n");
  expect(lines.filter((line) => line === "reserving 1851")).toHaveLength(1);
  expect(lines).toContain("fulfilling 1851 attempt 2");
  expect(lines).toContain("told of receipt of 1851");
  expect(lines).toContain("{ receipt: 'receipt of 1851' }");
});

test("operating: what failed is told, found, and run again", async () => {
  const lines = (await outputOf("operating/main.ts")).trimEnd().split("\n");
  expect(lines.sort()).toEqual([
    "attempt 1 of bill-7 failed",
    "printed 7",
    "stamped 8",
    "started true { handled: 1, skipped: 0, missed: 0 } 0",
    "task bill-7 (bill.print) ended as DEAD_LETTER: out of paper after 2 attempts",
    "told of bill-7 DEAD_LETTER",
  ]);
});

test("run-stream: a client follows a run over HTTP to its end", async () => {
  expect((await outputOf("run-stream/server.ts")).trimEnd().split("\n")).toEqual([
    '1 lifecycle.started {"type":"agent.answer","attempt":1}',
    '2 token {"token":"there"}',
    '3 token {"token":"goes"}',
    '4 token {"token":"who"}',
    '5 lifecycle.completed {"status":"COMPLETED"}',
  ]);
});

test("schedules: declared and registered, fired once, paused and listed", async () => {
  expect((await outputOf("schedules/main.ts")).trimEnd().split("\n")).toEqual([
    "sending the digest to everybody",
    "daily-digest cron timezone paused fired 0",
    "extra-edition at ended fired 1",
    "its task: true",
  ]);
});
