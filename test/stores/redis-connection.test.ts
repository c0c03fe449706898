import { type IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import type { RedisOptions } from "@intermodal/store-redis";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { makeCertificates, whyNoCertificates } from "../faults/certificates.ts";
import { httpServer, silentServer } from "../faults/strangers.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { freePort } from "../servers/ports.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf, follow, sequencesOf } from "./entries.ts";
import { bulk, fakeRedis } from "./fake-redis.ts";
import { RedisStage } from "./redis-stage.ts";

const BOUNDED_MS = 8_000;
const PASSWORD = "p@ss:w0rd/of%mallory";
const SECRETS = [PASSWORD];

const missing = await whyMissing("redis");
let stage: RedisStage;
beforeEach(() => {
  stage = new RedisStage();
});
afterEach(async () => {
  await stage.clear();
  expect(stage.book.leaks(SECRETS)).toEqual([]);
});

/** What every call is refused with, in bounded time; no secret is told. */
async function refusal(url: string, options: RedisOptions = {}): Promise<IntermodalError> {
  const adapter = stage.adapter(url, options);
  const started = performance.now();
  const errors = await Promise.all(
    [() => adapter.connect(), () => adapter.eventStream.append([{ streamId: "s", events: [eventOf(1)] }])].map((call) =>
      call().then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );
  expect(performance.now() - started).toBeLessThan(BOUNDED_MS);
  const [error, other] = errors;
  if (!isIntermodalError(error) || !isIntermodalError(other)) throw error ?? other ?? new Error("it was not refused");
  expect([other.code, error.unknown, other.unknown]).toEqual([error.code, false, false]);
  stage.book.add(errors, await adapter.health());
  return error;
}

/** One node that has all slots, and answers every script alike. */
async function fakeCluster(answer: string): ReturnType<typeof fakeRedis> {
  const cluster = await fakeRedis("7.0.0", ([name = "", what = ""]) => {
    const node = `*3\r\n${bulk("127.0.0.1")}:${cluster.port}\r\n${bulk("id")}`;
    if (/^cluster/i.test(name))
      return /slots/i.test(what) ? `*1\r\n*3\r\n:0\r\n:16383\r\n${node}` : bulk("cluster_state:ok");
    return /^eval/i.test(name) ? answer : undefined;
  });
  stage.atEnd(() => cluster.close());
  return cluster;
}

describe("what no waiting cures is told at once, and how to cure it", () => {
  let guarded: Server;

  beforeAll(async () => {
    if (missing === undefined) guarded = await startServer("redis", { password: PASSWORD });
  });
  afterAll(() => guarded?.close());

  test("no password", async (t) => {
    skipWithout(missing, t);
    const error = await refusal(`redis://127.0.0.1:${guarded.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/NOAUTH.*user and password/)]);
  });

  test("a wrong password", async (t) => {
    skipWithout(missing, t);
    const error = await refusal(`redis://:${encodeURIComponent(`${PASSWORD}x`)}@127.0.0.1:${guarded.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/WRONGPASS.*check user/)]);
  });

  test("TLS where there is none", async (t) => {
    skipWithout(missing, t);
    const error = await refusal(`rediss://127.0.0.1:${guarded.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/has no TLS.*redis:/)]);
  });

  test("HTTP", async () => {
    const stranger = await httpServer();
    stage.atEnd(() => stranger.close());
    const error = await refusal(`redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${stranger.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/check host and port/)]);
  });

  test.each(["nats", "rabbit"] as const)("the protocol of %s", async (kind) => {
    const missingStranger = await whyMissing(kind);
    if (missingStranger !== undefined) return;
    const stranger = await startServer(kind);
    stage.atEnd(() => stranger.close());
    const error = await refusal(`redis://127.0.0.1:${stranger.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/check host and port/)]);
  });

  test("a server that is too old", async () => {
    const old = await fakeRedis("6.0.16");
    stage.atEnd(() => old.close());
    const error = await refusal(`redis://127.0.0.1:${old.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/6\.0\.16.*6\.2\.0/)]);
  });

  test("a cluster that is on the move, and whose node for the slot answers nobody", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    stage.atEnd(() => void process.off("unhandledRejection", note));
    const target = await fakeRedis("7.0.0", ([name = ""], socket) => {
      if (/^(asking|eval)/i.test(name)) socket.destroy();
      return undefined;
    });
    stage.atEnd(() => target.close());
    const cluster = await fakeCluster(`-ASK 1 127.0.0.1:${target.port}\r\n`);
    const adapter = stage.adapter(`redis://127.0.0.1:${cluster.port}`, { cluster: true });
    const appended = adapter.eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
    await expect(appended).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(unhandled).toEqual([]);
  });

  test("a cluster in which a slot moves for longer than the driver waits has done nothing", async () => {
    const cluster = await fakeCluster("-TRYAGAIN Multiple keys request during rehashing of slot\r\n");
    const error = await refusal(`redis://127.0.0.1:${cluster.port}`, { cluster: true }).catch((e: unknown) => e);
    // Connecting works.
    expect(error).toMatchObject({ code: "UNAVAILABLE", unknown: false, message: expect.stringMatching(/TRYAGAIN/) });
  });

  test("a user who may not do what it takes", async (t) => {
    skipWithout(missing, t);
    const url = guarded.url.replace("//:", "//default:");
    await stage.admin(url).call("ACL", "SETUSER", "reader", "on", ">reads", "~im:*", "+@read", "+@connection");
    const error = await refusal(`redis://reader:reads@127.0.0.1:${guarded.port}`).catch((e: unknown) => e);
    // Connecting is allowed to it; what it is refused, says so.
    expect(String(error)).toMatch(/NOPERM/);
  });

  test("a database that there is not, or that the user may not select", async (t) => {
    skipWithout(missing, t);
    const url = guarded.url.replace("//:", "//default:").replace(/\/$/, "");
    expect(await refusal(`${url}/99`)).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/database 99 .*number/),
    });
    const admin = stage.admin(url);
    await admin.call("ACL", "SETUSER", "zero", "on", ">zero", "~*", "&*", "+@all", "-select");
    expect(await refusal(`redis://zero:zero@127.0.0.1:${guarded.port}/1`)).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("SELECT"),
    });
    expect(await admin.dbsize(), "keys in database 0").toBe(0);
  });

  test("options and URLs that cannot be right", () => {
    for (const url of ["redis://host:port", "redis://a,,b", "redis://host/x", "redis://host?db=1", "http://host"])
      expect(() => stage.adapter(url), url).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    const client = new Redis({ lazyConnect: true, keyPrefix: "mine:" });
    const wrong: RedisOptions[] = [{ client }, { commandTimeoutMs: 0 }, { maxStreamEvents: 1.5 }];
    for (const options of wrong)
      expect(() => stage.adapter("redis:", options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("what may pass is UNAVAILABLE in a bounded time", () => {
  test("nothing listens", async () => {
    const port = await freePort();
    const error = await refusal(`redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`);
    expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining(`127.0.0.1:${port}`)]);
  });

  test("silence", async () => {
    const stranger = await silentServer();
    stage.atEnd(() => stranger.close());
    const error = await refusal(`redis://127.0.0.1:${stranger.port}`);
    expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining(`127.0.0.1:${stranger.port}`)]);
  });

  test("no such host", async () => {
    const error = await refusal("redis://nowhere.invalid");
    expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining("nowhere.invalid")]);
  });
});

describe("TLS", () => {
  test("is checked by certificate, on both sides", async (t) => {
    skipWithout(missing ?? (await whyNoCertificates()), t);
    const { ca, server: pair, client } = await makeCertificates();
    const port = await freePort();
    const server = await startServer("redis", {
      files: { "ca.pem": ca, "server.pem": pair.cert, "server.key": pair.key },
      args: [
        ...["--tls-port", String(port), "--tls-cert-file", "$DIR/server.pem", "--tls-key-file", "$DIR/server.key"],
        ...["--tls-ca-cert-file", "$DIR/ca.pem", "--tls-auth-clients", "yes"],
      ],
    });
    stage.atEnd(() => server.close());
    const url = `rediss://127.0.0.1:${port}`;
    const right = stage.adapter(url, { connection: { tls: { ca, ...client } } });
    const follower = follow(right.eventStream, "s");
    await right.eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
    await right.eventStream.finish([{ streamId: "s", event: eventOf(2), ttlMs: 60_000 }]);
    await follower.ended;
    expect(sequencesOf(follower.entries)).toEqual([1, 2]);
    for (const tls of [{ ca }, client]) {
      const error = await refusal(url, { connection: { tls } });
      expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/TLS.*certificate/)]);
    }
    const plain = await refusal(`redis://127.0.0.1:${port}`);
    expect([plain.code, plain.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/rediss:/)]);
  });
});

describe("a connection", () => {
  let server: Server;

  beforeAll(async () => {
    if (missing === undefined) server = await startServer("redis");
  });
  afterAll(() => server?.close());

  test("is shared by adapters of one factory, URL and clock", async (t) => {
    skipWithout(missing, t);
    const admin = stage.admin(server.url);
    const { redis } = await import("@intermodal/store-redis");
    const { systemClock } = await import("@intermodal/core/ports");
    const factory = redis();
    const context = { url: server.url, node: "shared node", clock: systemClock, logger: stage.book };
    const adapters = ["a", "b", "c"].map((namespace) => factory.create({ ...context, namespace }));
    await Promise.all(adapters.map((adapter) => adapter.connect()));
    expect(String(await admin.client("LIST")).match(/name=intermodal:shared_node/g)).toHaveLength(1);
    const [first, second, third] = adapters;
    await first?.close();
    await first?.close();
    await expect(first?.connect()).rejects.toMatchObject({ code: "CLOSED" });
    await second?.connect();
    expect(await second?.health()).toMatchObject({ connected: true, detail: expect.stringMatching(/redis \d/) });
    await second?.close();
    await third?.close();
    await vi.waitFor(async () =>
      expect(
        String(await admin.client("LIST"))
          .trim()
          .split("\n"),
      ).toHaveLength(1),
    );
  });

  test("of the host's is used and left open", async (t) => {
    skipWithout(missing, t);
    const client = new Redis(server.url, { autoResendUnfulfilledCommands: false });
    stage.atEnd(() => client.disconnect());
    const adapter = stage.adapter("redis:", { client });
    const follower = follow(adapter.eventStream, "host");
    await adapter.eventStream.append([{ streamId: "host", events: [eventOf(1)] }]);
    await vi.waitFor(() => expect(follower.entries).toHaveLength(1));
    client.disconnect(true);
    await vi.waitFor(async () => {
      await adapter.eventStream.append([{ streamId: "host", events: [eventOf(2)] }]);
      expect(follower.entries).toHaveLength(2);
    });
    client.disconnect();
    await vi.waitFor(async () => expect(await adapter.health()).toMatchObject({ connected: false }));
    await expect(adapter.connect()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await client.connect();
    await vi.waitFor(() => adapter.connect());
    await adapter.close();
    await expect(follower.ended).rejects.toMatchObject({ code: "CLOSED" });
    expect(await client.ping()).toBe("PONG");
    expect(stage.book.text).not.toMatch(/sends commands again/);
    const repeating = new Redis(server.url);
    stage.atEnd(() => repeating.disconnect());
    await stage.adapter("redis:", { client: repeating }).connect();
    expect(stage.book.text).toMatch(/sends commands again/);
  });

  test("warns once of a server that throws data away", async (t) => {
    skipWithout(missing, t);
    const forgetful = await startServer("redis", { args: ["--maxmemory-policy", "allkeys-lru"] });
    stage.atEnd(() => forgetful.close());
    const adapter = stage.adapter(forgetful.url);
    await adapter.connect();
    await adapter.connect();
    expect(stage.book.text.match(/maxmemory-policy is allkeys-lru/g)).toHaveLength(1);
    await stage.adapter(server.url).connect();
    expect(stage.book.text.match(/maxmemory-policy/g)).toHaveLength(1);
  });

  test("to a server whose memory is full is told so, and works again", async (t) => {
    skipWithout(missing, t);
    const admin = stage.admin(server.url);
    const { eventStream } = stage.adapter(server.url);
    await eventStream.append([{ streamId: "full", events: [eventOf(1)] }]);
    await admin.config("SET", "maxmemory", "1");
    const append = () => eventStream.append([{ streamId: "full", events: [eventOf(2)] }]);
    try {
      const error = await append().catch((e: unknown) => e);
      expect(error).toMatchObject({ code: "UNAVAILABLE", unknown: false, message: expect.stringMatching(/maxmemory/) });
      expect((await eventStream.read("full")).last).toBe(1);
    } finally {
      await admin.config("SET", "maxmemory", "0");
    }
    expect(await append()).toEqual([[2]]);
  });

  test("whose user may not subscribe does with polling", async (t) => {
    skipWithout(missing, t);
    const admin = stage.admin(server.url);
    await admin.call("ACL", "SETUSER", "mute", "on", ">pw", "~im:*", "+@all", "resetchannels");
    const url = server.url.replace("//", "//mute:pw@");
    const { eventStream } = stage.adapter(url, { streamPollMs: 200 });
    const writer = stage.adapter(server.url).eventStream;
    const follower = follow(eventStream, "mute");
    for (let n = 1; n <= 3; n++) {
      await writer.append([{ streamId: "mute", events: [eventOf(n)] }]);
      await vi.waitFor(() => expect(follower.entries).toHaveLength(n), { timeout: 5_000 });
    }
    expect(stage.book.text.match(/followers look for themselves/g)).toHaveLength(1);
  });

  test("finds the primary again when its server has become a replica", async (t) => {
    skipWithout(missing, t);
    const admin = stage.admin(server.url);
    const { eventStream } = stage.adapter(server.url);
    await eventStream.append([{ streamId: "demoted", events: [eventOf(1)] }]);
    follow(eventStream, "demoted");
    const subscriptions = async () =>
      String(await admin.call("CLIENT", "LIST")).match(/^id=\d+(?=.* name=\S*:subscriptions )/gm) ?? [];
    const old = await vi.waitFor(async () => {
      const [one] = await subscriptions();
      expect(one).toBeDefined();
      return one;
    });
    await admin.call("REPLICAOF", "127.0.0.1", String(await freePort()));
    try {
      const append = () => eventStream.append([{ streamId: "demoted", events: [eventOf(2)] }]);
      await expect(append()).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
      await vi.waitFor(() => expect(stage.book.text).toMatch(/is a replica/));
    } finally {
      await admin.call("REPLICAOF", "NO", "ONE");
    }
    await vi.waitFor(
      async () => expect(await eventStream.append([{ streamId: "demoted", events: [eventOf(2)] }])).toEqual([[2]]),
      { timeout: 10_000 },
    );
    // Subscriptions follow the commands: where these went is where things are published.
    await vi.waitFor(
      async () => {
        const now = await subscriptions();
        expect(now).toHaveLength(1);
        expect(now).not.toContain(old);
      },
      { timeout: 10_000 },
    );
  });
});
