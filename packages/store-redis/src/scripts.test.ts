import { expect, test } from "vitest";
import type { Client } from "./link.ts";
import { runScript } from "./scripts.ts";

test("what the driver cannot make one text of is refused before it is sent", async () => {
  const sent: number[] = [];
  const client = { evalsha: async (...args: unknown[]) => sent.push(args.length) } as unknown as Client;
  const script = { name: "task-write", lua: "return 1" };
  const part = "x".repeat(8 * 1_048_576);
  const run = (parts: number) => runScript(client, script, ["k"], Array<string>(parts).fill(part));
  await expect(run(64)).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE", unknown: false });
  expect(sent).toEqual([]);
  await run(63);
  expect(sent).toEqual([66]);
});
