import type { TaskDraft } from "@intermodal/core/ports";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { draftOf } from "./redis-drafts.ts";
import { RedisStage } from "./redis-stage.ts";

const LIMIT_MS = 120_000;
const LONGEST = 8 * 1_048_576 - '""'.length;

const missing = await whyMissing("redis");
let server: Server;
let stage: RedisStage;
beforeAll(async () => {
  if (missing === undefined) server = await startServer("redis");
});
afterAll(() => server?.close());
beforeEach(() => {
  stage = new RedisStage();
});
afterEach(() => stage.clear());

async function scriptCalls(admin: Redis): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0);
}

test("a batch of the longest inputs is created and read, in calls and answers of a bounded length", {
  timeout: LIMIT_MS,
}, async (t) => {
  skipWithout(missing, t);
  const { taskStateStore: store } = stage.adapter(server.url);
  const admin = stage.admin(server.url);
  const inputs = new Map(Array.from({ length: 64 }, (_, at) => [`long-${at}`, String(at % 10).repeat(LONGEST)]));
  for (let at = 0; at < 10; at++) inputs.set(`short-${at}`, "short");
  const created = await store.create([...inputs].map(([id, input]) => draftOf(id, { input })));
  expect(created.map(({ kind }) => kind)).toEqual(created.map(() => "created"));
  let calls = await scriptCalls(admin);
  const ids = [...inputs.keys()];
  for (const [at, record] of (await store.get(ids)).entries())
    expect(record?.input === inputs.get(ids[at] as string), ids[at]).toBe(true);
  expect(await scriptCalls(admin)).toBeGreaterThanOrEqual(calls + 64);
  calls = await scriptCalls(admin);
  // What is refused is told of with what is there, which is as long.
  const others = await store.create(ids.map((id) => draftOf(id, { input: "another" })));
  expect(others.map(({ kind }) => kind)).toEqual(others.map(() => "conflict"));
  expect(await scriptCalls(admin)).toBeGreaterThanOrEqual(calls + 64);
});

test("what a caller does to the states of sub-tasks that it was given changes nothing", async (t) => {
  skipWithout(missing, t);
  const [one, another] = [stage.adapter(server.url).taskStateStore, stage.adapter(server.url).taskStateStore];
  const parent: TaskDraft = draftOf("parent");
  const claim = { id: parent.id, series: 1, node: "n", leaseMs: 60_000, maxAttempts: 5, owes: [] };
  await one.create([parent]);
  const [first] = await one.claim([claim]);
  const { token } = (first as Extract<typeof first, { claimed: true }>).lease;
  await one.reserve([{ id: parent.id, token, key: "k", childId: "child" }]);
  await one.settle([{ id: parent.id, token, outcome: { kind: "released" }, resend: false }]);
  const [second] = await another.claim([claim]);
  const { lease, record } = second as Extract<typeof second, { claimed: true }>;
  expect(() => Object.assign(record.children.k as object, { status: "COMPLETED" })).toThrow(TypeError);
  const settle = { id: parent.id, token: lease.token, outcome: { kind: "completed" }, resend: false } as const;
  const [settled] = await another.settle([settle]);
  expect(settled).toMatchObject({ settled: true, record: { status: "RUNNING", phase: "awaiting-children" } });
});
