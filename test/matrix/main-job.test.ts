import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runMain } from "../../examples/novel-import/run-main-fixture.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { type RunningCarrier, startCarrier, whyNo } from "./carriers.ts";
import type { BusName, StoreName } from "./names.ts";

interface Carriers {
  readonly commands: BusName;
  readonly events: BusName;
  readonly state: StoreName;
  readonly streams: StoreName;
}

const RUNS: readonly Carriers[] = [
  { commands: "nats", events: "nats", state: "memory", streams: "memory" },
  { commands: "rabbit", events: "rabbit", state: "memory", streams: "memory" },
  { commands: "nats", events: "rabbit", state: "mongo", streams: "redis" },
  { commands: "rabbit", events: "nats", state: "redis", streams: "redis" },
];
const NAMES = [...new Set(RUNS.flatMap((run) => Object.values(run) as (BusName | StoreName)[]))];
const TIMEOUT_MS = 120_000;

const missing = (await Promise.all(NAMES.map(whyNo))).find((why) => why !== undefined);

describe("the main job", () => {
  let folders: string;
  const carriers = new Map<BusName | StoreName, RunningCarrier>();
  beforeAll(async () => {
    folders = await mkdtemp(join(tmpdir(), "novels-"));
    if (missing !== undefined) return;
    await Promise.all(NAMES.map(async (name) => carriers.set(name, await startCarrier(name))));
  }, TIMEOUT_MS);
  afterAll(async () => {
    await Promise.all([...[...carriers.values()].map((carrier) => carrier.close()), rm(folders, { recursive: true })]);
  });

  for (const run of RUNS) {
    const title = Object.entries(run).map(([port, name]) => `${port} over ${name}`);
    test(title.join(", "), { timeout: TIMEOUT_MS, concurrent: true }, async (t) => {
      skipWithout(missing, t);
      const folder = await mkdtemp(join(folders, "novel-"));
      const urls = Object.entries(run).map(([port, name]) => [
        `INTERMODAL_${port.toUpperCase()}`,
        carriers.get(name as BusName | StoreName)?.url,
      ]);
      const { code, stdout, stderr } = await runMain(folder, ["--rate", "100000"], {
        env: { ...Object.fromEntries(urls), INTERMODAL_NAMESPACE: `novel-${Object.values(run).join("-")}` },
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).not.toContain("not heard here");
      const page = await readFile(join(folder, "out/moby-dick.md"), "utf8");
      expect(page.match(/^## Chapter \d/gm)).toHaveLength(135);
      expect(page).toContain("Buoyed up by that coffin");
    });
  }
});
