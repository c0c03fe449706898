import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nameOf } from "./book.ts";
import { readMobyDick } from "./moby-dick.ts";
import { runMain } from "./run-main-fixture.ts";

/** The model's limit would only make the tests wait. */
const FAST = ["--rate", "100000"];
const TIMEOUT_MS = 60_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novel-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function shortBook(): Promise<string> {
  const book = join(folder, "short.txt");
  const chapter = (number: number) =>
    `CHAPTER ${number}\n\nThe keeper of lamp ${number} climbed the stairs. The harbour below him was dark. "Where is the boat?" he asked.`;
  await writeFile(book, [1, 2, 3].map(chapter).join("\n\n"));
  return book;
}

test("imports all of Moby-Dick and ends by itself", { timeout: TIMEOUT_MS }, async () => {
  const { code, stdout, stderr } = await runMain(folder, FAST);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });

  const page = await readFile(join(folder, "out/moby-dick.md"), "utf8");
  const headings = page.match(/^## .*/gm)?.map((line) => line.slice(3).replaceAll("\\", ""));
  const typographic = (text: string) =>
    text
      .replace(/"(?=\w)/g, "“")
      .replaceAll('"', "”")
      .replaceAll("'", "’");
  expect(headings).toEqual([
    "Chapters",
    ...readMobyDick().chapters.map((chapter) => typographic(nameOf(chapter))),
    "In numbers",
  ]);
  expect(headings?.at(-2)).toContain("Epilogue");
  expect(page).toContain("Buoyed up by that coffin");

  expect(stdout).toMatch(/^retrying generate(Summary|Scene) ".+" \(attempt 2 of 5 in \d\.\d s\): /m);
  expect(stdout).toContain("100 %  139 of 139 summaries, 139 of 139 scenes");
  expect(
    stdout.match(
      /^library-catalogue: entered “Moby-Dick; or, The Whale” by Herman Melville \(139 chapters, [\d,]+ words\)$/gm,
    ),
  ).toHaveLength(1);
  expect(stdout.match(/^reader-notification: .* is ready in out\/moby-dick\.md$/gm)).toHaveLength(1);
  expect(stdout).toMatch(
    /COMPLETED\n {2}chapters +139\n {2}retries +[1-9]\d*\n {2}dead letters +0\n {2}time +[\d.]+ s\n {2}written to +out\/moby-dick\.md\n$/,
  );
  expect(stdout.split("\n").length).toBeLessThan(60);
});

test("a chapter that never succeeds is named, and the rest is there", { timeout: TIMEOUT_MS }, async () => {
  const file = join(folder, "short.md");
  const { code, stdout, stderr } = await runMain(folder, [
    await shortBook(),
    ...FAST,
    "--out",
    file,
    "--fail-chapter",
    "2",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^gave up generateSummary "Chapter 2" \(DEAD_LETTER\): the model refuses this text$/m);
  expect(stdout).toMatch(
    /COMPLETED_WITH_ERRORS\n {2}chapters +3, 1 of them incomplete\n {2}retries +\d+\n {2}dead letters +2\n/,
  );
  expect(stdout).toMatch(/ {2}incomplete +Chapter 2\n$/);
  expect(stdout).toMatch(/^reader-notification: .*apart from Chapter 2$/m);
  const page = await readFile(file, "utf8");
  expect(page.match(/\*\*Incomplete:\*\*/g)).toHaveLength(1);
  expect(page.match(/The keeper of lamp/g)?.length).toBeGreaterThanOrEqual(2);
});

describe("Ctrl-C", () => {
  test("lets running calls end and says what is left", { timeout: TIMEOUT_MS }, async () => {
    let isSent = false;
    const { code, stdout, stderr } = await runMain(folder, ["--rate", "40"], {
      onOutput(all, signal) {
        if (isSent || !all.includes("10 %")) return;
        isSent = true;
        signal("SIGINT");
      },
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" });
    expect(stdout).toMatch(/^Stopping: waiting for the calls that are running/m);
    const [, done, summaries, scenes] =
      /Stopped: (\d+) of 278 pieces are done; (\d+) summaries and (\d+) scenes are left\./.exec(stdout) ?? [];
    expect(Number(done)).toBeGreaterThan(0);
    expect(Number(done) + Number(summaries) + Number(scenes)).toBe(278);
  });

  test("twice ends at once", { timeout: TIMEOUT_MS }, async () => {
    let sent = 0;
    const { code, stdout } = await runMain(folder, ["--rate", "1"], {
      onOutput(all, signal) {
        if (sent === 0 && all.includes("Importing")) {
          sent = 1;
          signal("SIGINT");
        } else if (sent === 1 && all.includes("Stopping")) {
          sent = 2;
          signal("SIGINT");
        }
      },
    });
    expect(code).toBe(130);
    expect(stdout).not.toContain("Stopped:");
  });
});

describe.concurrent("what the person did wrong is told in a line", () => {
  beforeAll(async () => {
    await writeFile(join(folder, "empty.txt"), "");
    await writeFile(join(folder, "binary.txt"), Buffer.from([0, 159, 146, 150, 0, 1, 2, 3]));
  });

  test.each<[what: string, args: string[], env: NodeJS.ProcessEnv, code: number, message: RegExp]>([
    ["a missing book", ["no.txt"], {}, 1, /^There is no file .*no\.txt\.\n$/],
    ["a folder", ["."], {}, 1, /is a folder\. Give a text file in it\.\n$/],
    ["an empty book", ["empty.txt"], {}, 1, /empty\.txt is empty\.\n$/],
    ["a binary file", ["binary.txt"], {}, 1, /binary\.txt is not a text file\. Give a book as plain text\.\n$/],
    ["a result that can't be written", ["--out", "empty.txt/x.md"], {}, 1, /x\.md can't be written: .*\n$/],
    ["an unknown option", ["--bogus"], {}, 2, /^Unknown option '--bogus'\n\nnpm start /],
    ["an unknown chapter", ["--fail-chapter", "999"], {}, 2, /^--fail-chapter: .* has no chapter "999"\n/],
    [
      "an unknown carrier",
      [],
      { INTERMODAL_URL: "teapot://me:secret@kitchen" },
      1,
      /^no adapter for the scheme "teapot:" of INTERMODAL_URL;.*\n$/,
    ],
  ])("%s", { timeout: TIMEOUT_MS }, async (_what, args, env, code, message) => {
    const ended = await runMain(folder, args, { env });
    expect(ended).toEqual({ code, stdout: "", stderr: expect.stringMatching(message) });
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });
});
