import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LedgerReader, LedgerWriter } from "./ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "intermodal-ledger-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("what is written is read once, in order, in parts of any size", () => {
  const path = join(folder, "parts");
  const reader = new LedgerReader(path);
  expect(reader.read()).toEqual([]);
  const writer = new LedgerWriter(path);
  for (let index = 0; index < 20_000; index++) writer.write(index % 2 === 0 ? "handled" : "failed", index);
  const entries = reader.read();
  expect(entries.map(({ index }) => index)).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  expect(entries[3]).toEqual({ note: "failed", index: 3, at: expect.closeTo(Date.now(), -5) as number });
  expect(reader.read()).toEqual([]);
  reader.close();
});

test("a process that is killed with -9 loses nothing that it wrote", async () => {
  const path = join(folder, "killed");
  const script = `
    import { LedgerWriter } from ${JSON.stringify(new URL("./ledger.ts", import.meta.url).href)};
    const writer = new LedgerWriter(${JSON.stringify(path)});
    for (let index = 0; index < 1000; index++) writer.write("handled", index);
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
  expect(await once(child, "close")).toEqual([null, "SIGKILL"]);
  const reader = new LedgerReader(path);
  expect(reader.read()).toHaveLength(1_000);
  reader.close();
});
