import { globSync, readFileSync } from "node:fs";
import type { Harness } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { createApp, defineEvent, defineTask } from "@intermodal/core";
import { silentLogger, systemClock } from "@intermodal/core/ports";
import { type RedisAdapter, type RedisOptions, redis } from "@intermodal/store-redis";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { encodeKey } from "../../packages/store-redis/src/names.ts";
import { SIZE } from "../brokers/describe-broker.ts";
import { LogBook } from "../faults/log-book.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { startRedisCluster, whyNoCluster } from "../servers/redis-cluster.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf } from "./entries.ts";
import { CASES } from "./redis-cases.ts";
import { draftOf } from "./redis-drafts.ts";
import { redisClusterHarness, redisHarness } from "./redis-harness.ts";

const STORE = new URL("../../packages/store-redis/", import.meta.url);
const README = readFileSync(new URL("README.md", STORE), "utf8");
/** What the README says that a user takes; its last line is for clusters. */
const LINES = [...README.matchAll(/^ACL SETUSER library (.+)$/gm)].map(([, rules]) => rules as string);
const PASSWORD = /(?<=>)\S+/.exec(LINES[0] ?? "")?.[0] as string;
const FOR_CLUSTER = LINES.at(-1) as string;
/** How an app is told to use the store. */
const ENVIRONMENT = [...README.matchAll(/^(INTERMODAL_\w+)=(.+)$/gm)].map(
  ([, name, url]) => [name, url] as [string, string],
);

/** What the store calls by itself, and what ioredis does in a cluster; the rest stands in scripts. */
const BY_CLIENT = ["ping", "info", "eval", "evalsha", "set", "subscribe", "unsubscribe"];
const BY_CLUSTER = ["cluster|slots", "cluster|info", "asking"];

const commandsOf = (lines: readonly string[]) => lines.join(" ").match(/(?<=\+)\S+/g) ?? [];

test("the README allows every command that is used, once, and no other", () => {
  const scripts = globSync("src/lua/*.ts", { cwd: STORE }).map((file) => readFileSync(new URL(file, STORE), "utf8"));
  const words = scripts.flatMap((script) => [
    ...(script.match(/(?<=redis\.p?call\(')\w+/g) ?? []),
    // Which of two is called, a variable may say.
    ...(script.match(/(?<=')Z[A-Z]+(?=')/g) ?? []),
  ]);
  const used = new Set([...BY_CLIENT, ...words.map((word) => word.toLowerCase())]);
  expect(LINES.length).toBeGreaterThan(2);
  expect(commandsOf(LINES.slice(0, -1)).sort()).toEqual([...used].sort());
  expect(commandsOf([FOR_CLUSTER]).sort()).toEqual([...BY_CLUSTER].sort());
});

const asUser = (url: string, username: string, password: string) =>
  url.replace(/\/\/(?:[^/]*@)?/, `//${username}:${password}@`);

/** A server, or all nodes of a cluster, with users as the README has them made, each named after the namespace that it is for. */
class Guarded {
  readonly #admins: readonly Redis[];
  readonly #lines: readonly string[];

  constructor(servers: readonly Server[]) {
    this.#admins = servers.map(({ url }) => new Redis(url));
    this.#lines = servers.length > 1 ? LINES : LINES.slice(0, -1);
  }

  /** @returns what to connect as it with. */
  async allow(namespace: string): Promise<{ readonly username: string; readonly password: string }> {
    for (const line of this.#lines) {
      const rules = line.replaceAll("library", encodeKey(namespace)).split(" ");
      await Promise.all(this.#admins.map((admin) => admin.call("ACL", "SETUSER", namespace, ...rules)));
    }
    return { username: namespace, password: PASSWORD };
  }

  /** Removes the user. @returns what it was refused, but for what the README says is done without; not every refusal fails a call. */
  async remove(namespace: string): Promise<readonly string[]> {
    const logs = await Promise.all(this.#admins.map((admin) => admin.call("ACL", "LOG", 128) as Promise<unknown[][]>));
    await Promise.all(this.#admins.map((admin) => admin.call("ACL", "DELUSER", namespace)));
    const refusals = logs.flat().map((entry) => ({
      user: entry[entry.indexOf("username") + 1],
      what: String(entry[entry.indexOf("object") + 1]),
    }));
    return refusals.filter(({ user, what }) => user === namespace && !/^client\|/.test(what)).map(({ what }) => what);
  }

  /** Begins to move the empty slot of a key to another node, which from then on takes what is new, from who asks for it. */
  async moveSlot(key: string): Promise<void> {
    const slot = String(await this.#admins[0]?.call("CLUSTER", "KEYSLOT", key));
    const owners: Redis[] = [];
    for (const admin of this.#admins) if ((await admin.exists(key).catch(() => undefined)) === 0) owners.push(admin);
    const [from, to] = [owners[0], this.#admins.find((admin) => admin !== owners[0])] as [Redis, Redis];
    await to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", String(await from.call("CLUSTER", "MYID")));
    await from.call("CLUSTER", "SETSLOT", slot, "MIGRATING", String(await to.call("CLUSTER", "MYID")));
  }

  close(): void {
    for (const admin of this.#admins) admin.disconnect();
  }
}

function asUsers(guarded: Guarded, over: (options: RedisOptions) => Harness, options: RedisOptions): Harness {
  const byNamespace = new Map<string, Harness>();
  return {
    name: over({}).name,
    async create(context) {
      const { namespace } = context;
      const known = byNamespace.get(namespace);
      const harness = known ?? over({ ...options, connection: await guarded.allow(namespace) });
      byNamespace.set(namespace, harness);
      return harness.create(context);
    },
    async cleanup(namespace) {
      await byNamespace.get(namespace)?.cleanup?.(namespace);
      expect(await guarded.remove(namespace)).toEqual([]);
    },
  };
}

function open(url: string, namespace: string, options: RedisOptions = {}) {
  const context = { url, namespace, node: "node", clock: systemClock, logger: silentLogger };
  const adapter = redis(options).create(context) as RedisAdapter;
  return { ...adapter, close: () => adapter.close() };
}

const greet = defineTask("greet", {
  input: z.object({ name: z.string() }),
  output: z.string(),
  rateLimit: { permits: 100, perMs: 1_000 },
});
const greeted = defineEvent("greeted", { data: z.object({ name: z.string() }) });

/** Everything of the store that an app uses, in the environment that the README shows. */
async function expectAppToWork(url: string, namespace: string): Promise<void> {
  const book = new LogBook();
  const urls = Object.fromEntries(
    ENVIRONMENT.map(([name, shown]) => [
      name.slice("INTERMODAL_".length).toLowerCase(),
      shown.replace(/^redis:.*/, url),
    ]),
  );
  const app = createApp({ ...urls, name: "library", namespace, logger: book });
  const heard: unknown[] = [];
  app.handle(greet, async ({ name }, ctx) => {
    ctx.emit("greeting", { name });
    await ctx.publish(greeted, { name });
    return `hello ${name}`;
  });
  app.on(greeted, { listener: "guest-book" }, ({ data }) => void heard.push(data.name));
  try {
    await app.start();
    const task = await app.submit(greet, { name: "Ahab" });
    const entries: unknown[] = [];
    for await (const entry of task.stream()) entries.push("gap" in entry ? "gap" : entry.name);
    expect(entries).toContain("greeting");
    expect(await task.result({ timeoutMs: 10_000 })).toBe("hello Ahab");
    expect((await task.status()).status).toBe("COMPLETED");
    await app.schedules.register(greet, { name: "later", at: Date.now() + 100, input: { name: "Queequeg" } });
    await vi.waitFor(() => expect(heard).toEqual(["Ahab", "Queequeg"]), { timeout: 10_000 });
    expect((await app.schedules.list()).items).toMatchObject([{ name: "later", state: { fires: 1 } }]);
    await vi.waitFor(async () => expect((await app.tasks.list({ status: "COMPLETED" })).items).toHaveLength(2));
  } finally {
    await app.stop();
  }
  expect(book.text).not.toMatch(/NOPERM|refused|no subscriptions/);
}

/** In an ordinary run: some of each port, which together call what its scripts call. */
const SOME =
  /\/(create|claim-creates|settle|changes|cancel-renew|children-close|reopen-child|list-filters|expiry-of-one|append-once-gone|cap|ended|follow-ends|live|resume|put|put-repeated|due|list|remove|completed|released|one-node-each|one-permit-each|limit-at-hand|closed|namespaces)$/;
const chosen = CASES.map(({ cases, options }) => ({
  cases: cases.filter(({ id, needs = [] }) => needs.length === 0 && (SIZE === "full" || SOME.test(id))),
  options,
})).filter(({ cases }) => cases.length > 0);

vi.setConfig({ maxConcurrency: 10 });
for (const kind of ["redis", "valkey", "cluster"] as const) {
  const isCluster = kind === "cluster";
  const missing = isCluster ? await whyNoCluster("redis") : await whyMissing(kind);
  if (missing !== undefined) {
    test(kind, (t) => skipWithout(missing, t));
    continue;
  }
  const server = isCluster ? await startRedisCluster() : await startServer(kind);
  const servers = "nodes" in server ? server.nodes : [server];
  const over = (options: RedisOptions) =>
    "nodes" in server ? redisClusterHarness(server, SIZE, options) : redisHarness(server, SIZE, options);
  const guarded = new Guarded(servers);

  describe.concurrent(`${kind}, as the user of the README`, () => {
    afterAll(async () => {
      guarded.close();
      await server.close();
    });

    /** A user of a namespace, with a URL for it. */
    async function userOf(namespace: string): Promise<string> {
      const { username, password } = await guarded.allow(namespace);
      return asUser(server.url, username, password);
    }

    test("an app works", async () => {
      const namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
      await expectAppToWork(await userOf(namespace), namespace);
      await over({}).cleanup?.(namespace);
      expect(await guarded.remove(namespace)).toEqual([]);
    });

    test("a stream works of which writers are forgotten, and to which is repeated what others came after", async () => {
      const namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
      const { eventStream, close } = open(await userOf(namespace), namespace, { maxStreamEvents: 1 });
      const events = Array.from({ length: 300 }, (_, n) => eventOf(1, n, `writer ${n}`));
      await eventStream.append([{ streamId: "s", events }]);
      await eventStream.append([{ streamId: "s", events: [eventOf(2)] }]);
      expect(await eventStream.read("s")).toMatchObject({ last: 301, gap: { from: 1 } });
      await eventStream.append([{ streamId: "s", events: [eventOf(1, 1, "another"), eventOf(3)] }]);
      expect(await eventStream.append([{ streamId: "s", events: [eventOf(2)] }])).toEqual([[301]]);
      await close();
      await over({}).cleanup?.(namespace);
      expect(await guarded.remove(namespace)).toEqual([]);
    });

    const inCluster = isCluster ? test : undefined;
    inCluster?.("a key works whose slot is on the move", async () => {
      const namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
      const { inbox, close } = open(await userOf(namespace), namespace);
      await guarded.moveSlot(`im:${namespace}:inbox:listener:message`);
      expect(await inbox.reserve("listener", "message", { node: "n", leaseMs: 1_000 })).toBe("reserved");
      await close();
      expect(await guarded.remove(namespace)).toEqual([]);
    });

    test("what is another namespace's, or nobody's, is refused", async () => {
      const namespace = `t-${crypto.randomUUID().slice(0, 13)}`;
      const url = await userOf(namespace);
      const { taskStateStore, eventStream, scheduleStore, rateLimiter, inbox, close } = open(url, `${namespace}2`);
      const calls = [
        () => taskStateStore.create([draftOf("task")]),
        () => taskStateStore.list({}),
        () => eventStream.append([{ streamId: "s", events: [eventOf(1)] }]),
        () => eventStream.read("s"),
        () => scheduleStore.list(),
        () => rateLimiter.tryAcquire("key", { permits: 1, perMs: 1_000 }),
        () => inbox.complete("listener", "message", { windowMs: 1_000 }),
      ];
      for (const call of calls)
        await expect(call()).rejects.toMatchObject({
          code: "CONFIG_INVALID",
          message: expect.stringContaining("NOPERM"),
        });
      await close();
      const [node] = servers as [Server];
      const user = new Redis(asUser(node.url, namespace, PASSWORD));
      try {
        for (const command of [["SET", "key", "1"], ["SUBSCRIBE", "im:{other}:ended"], ["SCAN", "0"], ["FLUSHALL"]])
          await expect(user.call(...(command as [string, ...string[]])), command[0]).rejects.toThrow("NOPERM");
      } finally {
        user.disconnect();
      }
      await guarded.remove(namespace);
    });

    for (const { cases, options } of chosen)
      describeConformance(asUsers(guarded, over, options), cases, { concurrent: true });
  });
}
