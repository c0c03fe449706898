import { setTimeout as sleep } from "node:timers/promises";
import { type IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import { Cluster, type Redis } from "ioredis";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type RedisCluster, startRedisCluster, whyNoCluster } from "../servers/redis-cluster.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf, follow, sequencesOf, upTo } from "./entries.ts";
import { draftOf } from "./redis-drafts.ts";
import { RedisStage } from "./redis-stage.ts";

const LIMIT_MS = 120_000;
const missing = await whyNoCluster("redis");
let stage: RedisStage;
beforeEach(() => {
  stage = new RedisStage();
});
afterEach(() => stage.clear());

async function start(): Promise<RedisCluster> {
  const cluster = await startRedisCluster();
  stage.atEnd(() => cluster.close());
  return cluster;
}

/** Repeats what rejects with `UNAVAILABLE`, as the writer of a run does. */
async function persist<T>(step: () => Promise<T>, onRefusal = (_: IntermodalError) => {}): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
      onRefusal(error);
      await sleep(50);
    }
  }
}

test("one node is named and all are used; each of them dies and comes back", { timeout: LIMIT_MS }, async (t) => {
  skipWithout(missing, t);
  const cluster = await start();
  const url = cluster.url.replace(/,.*/, "");
  const { eventStream } = stage.adapter(url, { commandTimeoutMs: 2_000 });
  const streamIds = Array.from({ length: 12 }, (_, at) => `s${at}`);
  const followers = streamIds.map((streamId) => follow(eventStream, streamId));
  const append = (streamId: string, n: number) =>
    persist(() => eventStream.append([{ streamId, events: [eventOf(n)] }]));
  let n = 0;
  for (const node of cluster.nodes) {
    n++;
    await Promise.all(streamIds.map((streamId) => append(streamId, n)));
    await node.kill();
    const answers = await Promise.allSettled(
      streamIds.map((streamId) => eventStream.append([{ streamId, events: [eventOf(n + 1)] }])),
    );
    for (const answer of answers)
      if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "UNAVAILABLE" });
    expect(answers.some(({ status }) => status === "rejected")).toBe(true);
    await node.start();
    n++;
    await Promise.all(streamIds.map((streamId) => append(streamId, n)));
  }
  const finish = (streamId: string) => eventStream.finish([{ streamId, event: eventOf(n + 1), ttlMs: 60_000 }]);
  await Promise.all(streamIds.map((streamId) => persist(() => finish(streamId))));
  await Promise.all(followers.map(({ ended }) => ended));
  for (const { entries } of followers) expect(sequencesOf(entries)).toEqual(upTo(n + 1));
});

test("a stream's slot moves to another node while it is written and followed", { timeout: LIMIT_MS }, async (t) => {
  skipWithout(missing, t);
  const cluster = await start();
  const { eventStream } = stage.adapter(cluster.url);
  const follower = follow(eventStream, "s");
  await eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
  const admins = cluster.nodes.map(({ url }) => stage.admin(url));
  const slot = Number(await admins[0]?.cluster("KEYSLOT", `im:{${stage.namespace}:s}:log`));
  let over = false;
  const writing = (async () => {
    let n = 1;
    while (!over) {
      n++;
      const event = eventOf(n);
      expect(await persist(() => eventStream.append([{ streamId: "s", events: [event] }]))).toEqual([[n]]);
      await sleep(2);
    }
    return n;
  })();
  for (let round = 0; round < 3; round++) {
    await sleep(200);
    await moveSlot(admins, slot);
  }
  await sleep(200);
  over = true;
  const last = await writing;
  await persist(() => eventStream.finish([{ streamId: "s", event: eventOf(last + 1), ttlMs: 60_000 }]));
  await follower.ended;
  expect(last).toBeGreaterThan(50);
  expect(sequencesOf(follower.entries)).toEqual(upTo(last + 1));
});

test("the slot of a namespace's tasks moves while they are created and settled", { timeout: LIMIT_MS }, async (t) => {
  skipWithout(missing, t);
  const cluster = await start();
  const { taskStateStore: store } = stage.adapter(cluster.url);
  const admins = cluster.nodes.map(({ url }) => stage.admin(url));
  const slot = Number(await admins[0]?.cluster("KEYSLOT", `im:{${stage.namespace}}:tasks`));
  const refusals: IntermodalError[] = [];
  const take = <T>(step: () => Promise<T>) => persist(step, (refusal) => refusals.push(refusal));
  let over = false;
  const live = async (id: string) => {
    const claim = { id, series: 1, node: "n", leaseMs: 600_000, maxAttempts: 5, owes: [] };
    const [created] = await take(() => store.create([draftOf(id)]));
    const [claimed] = await take(() => store.claim([claim]));
    if (!claimed?.claimed) throw new Error(`${id} was claimed twice`);
    const { token } = claimed.lease;
    const outcome = { kind: "completed", result: id } as const;
    const [settled] = await take(() => store.settle([{ id, token, outcome, resend: false }]));
    expect([created?.kind, settled?.settled]).toEqual(["created", true]);
  };
  const working = [0, 1, 2, 3].map(async (worker) => {
    let n = 0;
    for (; !over; n++) await live(`${worker}-${n}`);
    return Array.from({ length: n }, (_, at) => `${worker}-${at}`);
  });
  for (let round = 0; round < 2; round++) {
    await sleep(200);
    await moveSlot(admins, slot, 3_000);
  }
  await sleep(200);
  over = true;
  const ids = (await Promise.all(working)).flat();
  // They are refused as long as the slot moves, and were not done: no record exists that was refused, and nobody has to ask.
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.filter(({ unknown }) => unknown)).toEqual([]);
  const records = await store.get(ids);
  expect(records.map((record) => [record?.result, record?.version])).toEqual(ids.map((id) => [id, 3]));
  let found = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await store.list({ status: "COMPLETED", limit: 100, ...(cursor !== undefined && { cursor }) });
    found += page.items.length;
    cursor = page.next;
    if (cursor === undefined) break;
  }
  expect(found).toBe(ids.length);
});

/** From the node that has it to the next one, as an operator's tool does it. */
async function moveSlot(admins: readonly Redis[], slot: number, pauseMs = 50): Promise<void> {
  const ids = await Promise.all(admins.map((admin) => admin.cluster("MYID")));
  const owners = (await admins[0]?.cluster("SLOTS")) ?? [];
  const owner = owners.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[2];
  const at = ids.findIndex((id) => String(id) === owner);
  const next = (at + 1) % admins.length;
  const [source, target] = [admins[at], admins[next]] as [Redis, Redis];
  await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", String(ids[at]));
  await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", String(ids[next]));
  await sleep(pauseMs);
  for (;;) {
    const keys = (await source.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
    if (keys.length === 0) break;
    await source.call("MIGRATE", "127.0.0.1", target.options.port ?? 0, "", 0, 5_000, "KEYS", ...keys);
  }
  await sleep(50);
  for (const admin of [target, source, ...admins])
    await admin.call("CLUSTER", "SETSLOT", slot, "NODE", String(ids[next]));
}

test("a client of the host's is used and left open", { timeout: LIMIT_MS }, async (t) => {
  skipWithout(missing, t);
  const cluster = await start();
  const nodes = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
  const client = new Cluster(nodes, { retryDelayOnFailover: 0 });
  client.on("error", () => {});
  stage.atEnd(() => client.disconnect());
  const adapter = stage.adapter("redis:", { client });
  const follower = follow(adapter.eventStream, "s");
  await adapter.eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
  await vi.waitFor(() => expect(follower.entries).toHaveLength(1));
  expect(await adapter.health()).toMatchObject({ connected: true });
  expect(stage.book.text).not.toMatch(/sends commands again/);
  await adapter.close();
  expect(await client.get("x")).toBe(null);
});

test("several hosts that are no cluster are refused", async (t) => {
  skipWithout(missing, t);
  const { startServer } = await import("../servers/index.ts");
  const server = await startServer("redis");
  stage.atEnd(() => server.close());
  const adapter = stage.adapter(`redis://127.0.0.1:${server.port},127.0.0.1:${server.port}`);
  await expect(adapter.connect()).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(/no cluster/),
  });
});
