import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { configuredMirror } from "./archive.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "intermodal-archive-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), contents);
  }
}

it("finds the system's own source among lines, with and without options", async () => {
  await write({
    "sources.list": `
# deb http://old.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/key.gpg] https://vendor.example/apt bookworm stable
deb http://security.example/debian-security bookworm-security main
deb [signed-by=/key.gpg] http://mirror.example/debian/ bookworm main contrib
`,
  });
  expect(await configuredMirror(folder, "bookworm")).toBe("http://mirror.example/debian");
});

it("finds it among paragraphs, continued and commented ones too", async () => {
  await write({
    "sources.list.d/aaa.list": "deb https://vendor.example/apt nodistro main\n",
    "sources.list.d/debian.sources": `# The system
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb deb-src
# where from
URIs: http://mirror.example/debian
Suites: trixie
  trixie-updates
Components:
  main
  non-free
`,
  });
  expect(await configuredMirror(folder, "trixie")).toBe("http://mirror.example/debian");
});

it("follows a list of mirrors", async () => {
  await write({
    "mirrors.list": "# nearest first\nhttps://near.example/debian\tpriority:1\nhttps://far.example/debian\n",
    "sources.list": `deb mirror+file://${folder}/mirrors.list bookworm main\n`,
  });
  expect(await configuredMirror(folder, "bookworm")).toBe("https://near.example/debian");
});

it("finds none where there is none", async () => {
  expect(await configuredMirror(folder, "bookworm")).toBe(undefined);
  await write({ "sources.list": "deb cdrom:[Debian]/ bookworm main\n" });
  expect(await configuredMirror(folder, "bookworm")).toBe(undefined);
});
