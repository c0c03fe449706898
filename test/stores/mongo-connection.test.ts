import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { type IntermodalError, isIntermodalError, systemClock } from "@intermodal/core/ports";
import { type MongoOptions, mongo } from "@intermodal/store-mongo";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Certificates, makeCertificates, whyNoCertificates } from "../faults/certificates.ts";
import { httpServer, silentServer } from "../faults/strangers.ts";
import { type Server, startProxy, startServer, whyMissing } from "../servers/index.ts";
import { freePort, listenOn } from "../servers/ports.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { eventOf, follow, sequencesOf } from "./entries.ts";
import { MongoStage } from "./mongo-stage.ts";

const TIMEOUT_MS = 1_500;
/** Until a server is there, then for its answer, then to find out who is there instead. */
const BOUNDED_MS = TIMEOUT_MS + 5_500;
const PASSWORD = "p@ss:w0rd/of%mallory";
const CREDENTIALS = `mallory:${encodeURIComponent(PASSWORD)}`;
const SECRETS = [PASSWORD, "mallory"];

const missing = await whyMissing("mongo");
let server: Server;
let stage: MongoStage;
beforeAll(async () => {
  if (missing === undefined) server = await startServer("mongo");
}, 60_000);
afterAll(() => server?.close());
beforeEach(() => {
  stage = new MongoStage();
});
afterEach(async () => {
  await stage.clear();
  expect(stage.book.leaks(SECRETS)).toEqual([]);
});

/** What every call is refused with, in bounded time; no secret is told. */
async function refusal(url: string, options: MongoOptions = {}): Promise<IntermodalError> {
  const adapter = stage.adapter(url, { commandTimeoutMs: TIMEOUT_MS, ...options });
  const started = performance.now();
  const calls = [() => adapter.connect(), () => adapter.eventStream.append([{ streamId: "s", events: [eventOf(1)] }])];
  const errors = await Promise.all(
    calls.map((call) =>
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

describe("what no waiting cures is told at once, and how to cure it", () => {
  test("wrong credentials", async (t) => {
    skipWithout(missing, t);
    const error = await refusal(`mongodb://${CREDENTIALS}@127.0.0.1:${server.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/check user, password/)]);
  });

  test("TLS where there is none", async (t) => {
    skipWithout(missing, t);
    const error = await refusal(`mongodb://127.0.0.1:${server.port}/?tls=true`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/has no TLS/)]);
  });

  test("HTTP", async () => {
    const stranger = await httpServer();
    stage.atEnd(() => stranger.close());
    const error = await refusal(`mongodb://${CREDENTIALS}@127.0.0.1:${stranger.port}`);
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/HTTP; check host and port/)]);
  });

  test.each(["nats", "rabbit", "redis"] as const)(
    "the protocol of %s",
    async (kind) => {
      if ((await whyMissing(kind)) !== undefined) return;
      const stranger = await startServer(kind);
      stage.atEnd(() => stranger.close());
      const error = await refusal(`mongodb://127.0.0.1:${stranger.port}`);
      expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/check host and port/)]);
    },
    30_000,
  );

  test("options and URLs that cannot be right", () => {
    const urls = ["mongodb://host:port", "mongodb://a,,b", `mongodb://${CREDENTIALS}@host/?bogus=1`, "http://host"];
    urls.push(`mongodb://mallory:${PASSWORD}@host/`, "mongodb://host/a.b");
    for (const url of urls) {
      const make = () => stage.adapter(url);
      expect(make, url).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
      try {
        make();
      } catch (error) {
        stage.book.add(error);
      }
    }
    const client = new MongoClient("mongodb://host");
    const wrong: MongoOptions[] = [{ client, connection: {} }, { commandTimeoutMs: 0 }, { maxStreamEvents: 1.5 }];
    for (const options of wrong)
      expect(() => stage.adapter("mongodb:", options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("what may pass is UNAVAILABLE in a bounded time", () => {
  test("nothing listens", async () => {
    const port = await freePort();
    const error = await refusal(`mongodb://${CREDENTIALS}@127.0.0.1:${port}`);
    expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining(`127.0.0.1:${port}`)]);
  });

  test("silence", async () => {
    const stranger = await silentServer();
    stage.atEnd(() => stranger.close());
    const error = await refusal(`mongodb://127.0.0.1:${stranger.port}`);
    expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining(`127.0.0.1:${stranger.port}`)]);
  });

  test("no such host", async () => {
    for (const url of ["mongodb://nowhere.invalid", "mongodb+srv://nowhere.invalid"]) {
      const error = await refusal(url);
      expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining("nowhere.invalid")]);
    }
  });

  test.each(["that hangs up on whoever comes", "that says nothing"])(
    "a server %s at first, and answers later",
    async (how) => {
      const proxy = await startProxy(server.port);
      stage.atEnd(() => proxy.close());
      const adapter = stage.adapter(`mongodb://127.0.0.1:${proxy.port}`, { commandTimeoutMs: 500 });
      const append = () => adapter.eventStream.append([{ streamId: "s", events: [eventOf(1)] }]);
      if (how === "that says nothing") proxy.blackHole();
      else proxy.cut();
      for (let call = 0; call < 2; call++) await expect(append()).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await expect(adapter.connect()).rejects.toMatchObject({ code: "UNAVAILABLE" });
      proxy.mend();
      await vi.waitFor(async () => expect(await append()).toEqual([[1]]), { timeout: 20_000 });
    },
    40_000,
  );

  test("a server that stops answering, and then answers again", async (t) => {
    skipWithout(missing, t);
    const proxy = await startProxy(server.port);
    stage.atEnd(() => proxy.close());
    const adapter = stage.adapter(`mongodb://127.0.0.1:${proxy.port}`, { commandTimeoutMs: TIMEOUT_MS });
    const append = (n: number) => adapter.eventStream.append([{ streamId: "s", events: [eventOf(n)] }]);
    expect(await append(1)).toEqual([[1]]);
    proxy.blackHole();
    const started = performance.now();
    await expect(append(2)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(performance.now() - started).toBeLessThan(BOUNDED_MS);
    proxy.mend();
    await vi.waitFor(async () => expect(await append(2)).toEqual([[2]]), { timeout: 20_000 });
    expect(await adapter.health()).toMatchObject({ connected: true });
  }, 40_000);
});

describe("TLS", () => {
  /** A server that speaks TLS, in front of the one that does not. */
  async function inFront({ ca, server: pair }: Certificates): Promise<number> {
    const front = createTlsServer({ cert: pair.cert, key: pair.key, ca, requestCert: true }, (socket) => {
      const behind = connect(server.port, "127.0.0.1");
      for (const one of [socket, behind]) one.on("error", () => behind.destroy());
      socket.pipe(behind).pipe(socket);
    });
    front.on("tlsClientError", () => {});
    stage.atEnd(() => front.close());
    return listenOn(front);
  }

  test("is checked by certificate, on both sides", async (t) => {
    skipWithout(missing ?? (await whyNoCertificates()), t);
    const certificates = await makeCertificates();
    const { ca, client } = certificates;
    const port = await inFront(certificates);
    const url = `mongodb://127.0.0.1:${port}/?tls=true`;
    const right = stage.adapter(url, { connection: { ca, cert: client.cert, key: client.key } });
    expect(await right.eventStream.append([{ streamId: "s", events: [eventOf(1)] }])).toEqual([[1]]);
    for (const connection of [{ ca }, {}]) {
      const error = await refusal(url, { connection });
      expect([error.code, error.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/TLS.*certificate/)]);
    }
    const plain = await refusal(`mongodb://127.0.0.1:${port}`);
    expect([plain.code, plain.message]).toEqual(["CONFIG_INVALID", expect.stringMatching(/expects TLS/)]);
  }, 30_000);

  test("is left in the middle by whoever is closed then: nothing is open or done afterwards", async (t) => {
    skipWithout(missing ?? (await whyNoCertificates()), t);
    const certificates = await makeCertificates();
    const proxy = await startProxy(await inFront(certificates));
    const folder = await mkdtemp(join(tmpdir(), "intermodal-mongo-"));
    stage.atEnd(() => Promise.all([proxy.close(), rm(folder, { recursive: true })]));
    // The driver reads the file before it begins to connect.
    const file = join(folder, "ca.pem");
    await writeFile(file, certificates.ca);
    const url = `mongodb://127.0.0.1:${proxy.port}/?tls=true&tlsCAFile=${encodeURIComponent(file)}`;
    const { cert, key } = certificates.client;
    const adapter = stage.adapter(url, { connection: { cert, key } });
    const [write] = await Promise.allSettled([adapter.inbox.complete("l", "m", { windowMs: 60_000 }), adapter.close()]);
    expect(write).toMatchObject({ status: "rejected", reason: { code: "CLOSED", unknown: false } });
    await vi.waitFor(() => expect(proxy.connections).toBe(0));
    expect(await stage.adapter(server.url).inbox.reserve("l", "m", { leaseMs: 1, node: "n" })).toBe("reserved");
  }, 30_000);
});

describe("a connection", () => {
  test("is shared by adapters of one factory, URL and clock", async (t) => {
    skipWithout(missing, t);
    const proxy = await startProxy(server.port);
    stage.atEnd(() => proxy.close());
    const factory = mongo();
    const context = {
      url: `mongodb://127.0.0.1:${proxy.port}`,
      node: "shared",
      clock: systemClock,
      logger: stage.book,
    };
    const adapters = Array.from({ length: 10 }, (_, at) => factory.create({ ...context, namespace: `n${at}` }));
    for (const adapter of adapters) await adapter.connect();
    // One that looks after the server, and one that is asked.
    expect(proxy.connections).toBeLessThanOrEqual(3);
    const [first, second, ...others] = adapters;
    await first?.close();
    await first?.close();
    await expect(first?.connect()).rejects.toMatchObject({ code: "CLOSED" });
    await second?.connect();
    expect(await second?.health()).toMatchObject({ connected: true, detail: expect.stringMatching(/MongoDB \d/) });
    for (const adapter of [second, ...others]) await adapter?.close();
    await vi.waitFor(() => expect(proxy.connections).toBe(0));
  });

  test("of the host's is used and left open", async (t) => {
    skipWithout(missing, t);
    const client = new MongoClient(server.url, { promoteLongs: false, useBigInt64: false, ignoreUndefined: false });
    stage.atEnd(() => client.close());
    const adapter = stage.adapter("mongodb://somewhere/other", { client });
    const follower = follow(adapter.eventStream, "host");
    await adapter.eventStream.append([{ streamId: "host", events: [eventOf(1, { n: 1, none: null })] }]);
    await vi.waitFor(() => expect(sequencesOf(follower.entries)).toEqual([1]));
    expect(follower.entries[0]).toMatchObject({ data: { n: 1, none: null } });
    const names = (await client.db("other").listCollections().toArray()).map(({ name }) => name);
    expect(names).toContain(`im_${stage.namespace}_run_events`);
    await adapter.close();
    await expect(follower.ended).rejects.toMatchObject({ code: "CLOSED" });
    expect(await client.db("other").dropDatabase()).toBe(true);
    const closed = stage.adapter("mongodb:", { client });
    await client.close();
    await expect(closed.taskStateStore.get(["a"])).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("that is closed in the middle of a write says that it may have happened", async (t) => {
    skipWithout(missing, t);
    const proxy = await startProxy(server.port);
    stage.atEnd(() => proxy.close());
    const adapter = stage.adapter(`mongodb://127.0.0.1:${proxy.port}`);
    // Collections are looked at before the first use and again once the server is known to answer: not while the write is under way.
    for (const id of ["other", "m"])
      expect(await adapter.inbox.reserve("l", id, { leaseMs: 60_000, node: "n" })).toBe("reserved");
    proxy.blackHole("down");
    const write = Promise.allSettled([adapter.inbox.complete("l", "m", { windowMs: 60_000 })]);
    const other = stage.adapter(server.url);
    const isDone = () => other.inbox.reserve("l", "m", { leaseMs: 1, node: "other" });
    await vi.waitFor(async () => expect(await isDone()).toBe("completed"));
    await adapter.close();
    const [completed] = await write;
    expect(completed).toMatchObject({ status: "rejected", reason: { code: "CLOSED", unknown: true } });
    await expect(adapter.inbox.reserve("l", "m", { leaseMs: 1, node: "n" })).rejects.toMatchObject({
      code: "CLOSED",
      unknown: false,
    });
  });

  test("that is lost is told once, and once when it is back", async (t) => {
    skipWithout(missing, t);
    const proxy = await startProxy(server.port);
    stage.atEnd(() => proxy.close());
    const adapter = stage.adapter(`mongodb://127.0.0.1:${proxy.port}`, { commandTimeoutMs: 500 });
    await adapter.connect();
    proxy.cut();
    for (let call = 0; call < 3; call++)
      await expect(adapter.inbox.reserve("l", "m", { leaseMs: 1, node: "n" })).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
    expect(await adapter.health()).toMatchObject({ connected: false });
    proxy.mend();
    await vi.waitFor(() => adapter.connect(), { timeout: 10_000 });
    expect(stage.book.text.match(/the server does not answer; trying on/g)).toHaveLength(1);
    expect(stage.book.text.match(/the server answers again/g)).toHaveLength(1);
  }, 20_000);
});
