import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runMain } from "../../examples/novel-import/run-main-fixture.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";

const CARRIERS = [
  { commands: "nats", events: "nats" },
  { commands: "rabbit", events: "rabbit" },
  { commands: "nats", events: "rabbit" },
  { commands: "rabbit", events: "nats" },
] as const;
const TIMEOUT_MS = 120_000;

const missing = (await whyMissing("nats")) ?? (await whyMissing("rabbit"));

describe("the main job", () => {
  let folders: string;
  const servers: Partial<Record<"nats" | "rabbit", Server>> = {};
  beforeAll(async () => {
    folders = await mkdtemp(join(tmpdir(), "novels-"));
    if (missing !== undefined) return;
    [servers.nats, servers.rabbit] = await Promise.all([startServer("nats"), startServer("rabbit")]);
  });
  afterAll(async () => {
    await Promise.all([servers.nats?.close(), servers.rabbit?.close(), rm(folders, { recursive: true })]);
  });

  for (const { commands, events } of CARRIERS) {
    test(`commands over ${commands}, events over ${events}`, { timeout: TIMEOUT_MS, concurrent: true }, async (t) => {
      skipWithout(missing, t);
      const folder = await mkdtemp(join(folders, "novel-"));
      const { code, stdout, stderr } = await runMain(folder, ["--rate", "100000"], {
        env: {
          INTERMODAL_COMMANDS: servers[commands]?.url,
          INTERMODAL_EVENTS: servers[events]?.url,
          INTERMODAL_STATE: "memory:novel",
          INTERMODAL_STREAMS: "memory:novel",
          INTERMODAL_NAMESPACE: `novel-${commands}-${events}`,
        },
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).not.toContain("not heard here");
      const page = await readFile(join(folder, "out/moby-dick.md"), "utf8");
      expect(page.match(/^## Chapter \d/gm)).toHaveLength(135);
      expect(page).toContain("Buoyed up by that coffin");
    });
  }
});
