import { type RabbitOptions, rabbit } from "@intermodal/adapter-rabbit";
import { ACK, type Adapter, type Delivery, type Logger, systemClock } from "@intermodal/core/ports";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type RabbitServer, startProxy, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";

const missing = await whyMissing("rabbit");
if (missing !== undefined) test("rabbit", (t) => skipWithout(missing, t));

const SOON = { timeout: 45_000, interval: 20 };
/** A call of rabbitmqctl starts a virtual machine: on a busy machine it takes ten seconds. */
const TIMEOUT_MS = 180_000;
const MAX_MESSAGE_SIZE = 100_000;
const SECRET = "s3cret-word";
const utf8 = (text: string) => new TextEncoder().encode(text);
const command = (id: string, queue = "work") => ({ queue, id, type: "probe", body: utf8(id) });
const event = (id: string, type = "book.created") => ({ id, type, body: utf8(id) });
const reader = { service: "shop", listener: "reader" };
const listening = { types: ["book.created"], from: "new" as const, concurrency: 5 };

describe.runIf(missing === undefined)("what stands on a RabbitMQ server", { timeout: TIMEOUT_MS }, () => {
  let server: RabbitServer;
  let operator: ChannelModel;
  let namespaces = 0;
  let namespace: string;
  const open: Adapter[] = [];
  const log: string[] = [];
  const note = (message: string) => void log.push(message);
  const logger: Logger = { debug() {}, info: note, warn: note, error: note };

  beforeAll(async () => {
    const config = `max_message_size = ${MAX_MESSAGE_SIZE}`;
    server = await startServer("rabbit", { user: "me", password: SECRET, config });
    operator = await connect(server.url);
  });
  afterAll(async () => {
    await operator.close();
    await server.close();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((adapter) => adapter.close()));
    log.length = 0;
  });

  function make(options: RabbitOptions = {}, url = server.url) {
    const adapter = rabbit({ heartbeatMs: 1_000, ...options }).create({
      url,
      namespace,
      node: "test",
      clock: systemClock,
      logger,
    });
    open.push(adapter);
    const { commandBus, eventBus } = adapter;
    if (commandBus === undefined || eventBus === undefined) expect.fail("it has both buses");
    return { adapter, commandBus, eventBus };
  }

  function fresh(): void {
    namespace = `n${++namespaces}`;
  }

  async function operate<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await operator.createChannel();
    try {
      return await act(channel);
    } finally {
      await channel.close();
    }
  }

  /** Notes what is delivered. */
  function recorder(held?: Promise<void>) {
    const seen: Delivery[] = [];
    const handle = async (delivery: Delivery) => {
      seen.push(delivery);
      await held;
      return ACK;
    };
    return { seen, handle, ids: () => seen.map(({ id }) => id) };
  }

  async function failureOf(doing: Promise<unknown>): Promise<Error & { readonly code: string }> {
    const error: Error & { readonly code: string } = await doing.then(
      () => expect.fail("it did not fail"),
      (thrown) => thrown,
    );
    const { message, stack, cause } = error;
    const causes = cause instanceof Error ? `${cause.message} ${cause.stack}` : "";
    expect(`${message} ${stack} ${causes} ${log.join()}`).not.toContain(SECRET);
    return error;
  }

  test.each([
    ["a wrong password", (url: string) => url.replace(SECRET, `${SECRET}-not`), "refused the credentials"],
    ["an unknown virtual host", (url: string) => `${url}/nowhere`, "refused the virtual host"],
    ["TLS on a port without", (url: string) => url.replace("amqp:", "amqps:"), "TLS failed"],
  ])("%s is told at once, without credentials", async (_, change, cure) => {
    fresh();
    const { commandBus } = make({}, change(server.url));
    for (const act of [
      () => commandBus.send([command("a")]),
      () => commandBus.work("work", { concurrency: 1 }, async () => ACK),
      () => commandBus.inspect("work"),
    ]) {
      const { code, message } = await failureOf(act());
      expect([code, message]).toEqual(["CONFIG_INVALID", expect.stringContaining(cure)]);
    }
  });

  test("a queue that exists otherwise is refused by name, argument and values, and left alone", async () => {
    fresh();
    const queue = `intermodal.${namespace}.queue.work`;
    await operate((channel) => channel.assertQueue(queue, { arguments: { "x-queue-type": "quorum" } }));
    const { commandBus } = make();
    for (const act of [
      () => commandBus.work("work", { concurrency: 1 }, async () => ACK),
      () => commandBus.send([command("a")]),
    ]) {
      const { code, message } = await failureOf(act());
      expect(code).toBe("CONFIG_INVALID");
      expect(message).toMatch(new RegExp(`queue ${queue} exists with another x-[a-z-]+: received .* but current is`));
    }
    await commandBus.send([command("b", "other")]);
    expect(await operate((channel) => channel.checkQueue(queue))).toMatchObject({ messageCount: 0 });
  });

  test("a user needs no more than what is called intermodal", async () => {
    fresh();
    await server.ctl("add_user", "modest", "pw");
    await server.ctl("set_permissions", "modest", ...new Array<string>(3).fill("^intermodal[.].*"));
    const { commandBus, eventBus } = make({}, server.url.replace(`me:${SECRET}`, "modest:pw"));
    const { seen, handle } = recorder();
    await eventBus.listen(reader, listening, handle);
    await commandBus.work("work", { concurrency: 1 }, async (delivery) => {
      if (delivery.id === "dead") return { kind: "dead-letter", reason: "no good" };
      if (delivery.attempt === 1) return { kind: "retry", delayMs: 100, counted: true };
      return handle(delivery);
    });
    await commandBus.send([command("a"), command("dead")]);
    await eventBus.publish([event("e")]);
    await vi.waitFor(() => expect(seen.map(({ id }) => id).sort()).toEqual(["a", "e"]), SOON);
    await vi.waitFor(async () => expect((await commandBus.deadLetters.list("work")).items).toHaveLength(1), SOON);
    expect(await failureOf(make({}, server.url.replace(`me:${SECRET}`, "modest:no")).adapter.connect())).toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  test("a queue deleted under its worker and its sender is made again, and both go on", async () => {
    fresh();
    const [worker, sender] = [make(), make()];
    const { ids, handle } = recorder();
    await worker.commandBus.work("work", { concurrency: 5 }, handle);
    await sender.commandBus.send([command("before")]);
    await vi.waitFor(() => expect(ids()).toEqual(["before"]), SOON);
    await operate((channel) => channel.deleteQueue(`intermodal.${namespace}.queue.work`));
    await sender.commandBus.send([command("after")]);
    await vi.waitFor(() => expect(ids()).toEqual(["before", "after"]), SOON);
  });

  test("messages of other programs need none of our headers", async () => {
    fresh();
    const { commandBus, eventBus } = make();
    const [commands, events] = [recorder(), recorder()];
    await commandBus.work("work", { concurrency: 1 }, commands.handle);
    await eventBus.listen(reader, listening, events.handle);
    await operate(async (channel) => {
      channel.sendToQueue(`intermodal.${namespace}.queue.work`, Buffer.from("{}"), { messageId: "m", type: "t" });
      channel.publish(`intermodal.${namespace}.events`, "book.created", Buffer.from("bare"));
    });
    await vi.waitFor(() => expect([commands.seen.length, events.seen.length]).toEqual([1, 1]), SOON);
    expect(commands.seen[0]).toMatchObject({ id: "m", type: "t", attempt: 1, body: utf8("{}") });
    expect(events.seen[0]).toMatchObject({ id: expect.stringMatching(/./), type: "book.created", body: utf8("bare") });
  });

  test("a body over the server's limit is refused, and the limit known from then on", async () => {
    fresh();
    const { commandBus } = make();
    await commandBus.send([command("first")]);
    const large = { ...command("large"), body: new Uint8Array(MAX_MESSAGE_SIZE + 1) };
    for (const attempt of [1, 2]) {
      const { code, message } = await failureOf(commandBus.send([large]));
      expect([attempt, code, message]).toEqual([attempt, "PAYLOAD_TOO_LARGE", expect.stringContaining("100000")]);
    }
    expect(commandBus.capabilities.maxPayloadBytes).toBe(MAX_MESSAGE_SIZE);
    await commandBus.send([{ ...large, body: large.body.subarray(1) }]);
    await vi.waitFor(async () => expect(await commandBus.inspect("work")).toMatchObject({ ready: 2 }), SOON);
  });

  test("in a memory alarm sends fail at once and say why, workers go on, and what they retry is kept until it is over", async () => {
    fresh();
    const { commandBus, adapter } = make();
    await commandBus.send([command("a"), command("again")]);
    const { ids, handle } = recorder();
    await server.ctl("set_vm_memory_high_watermark", "0.000001");
    try {
      const alarmed = async () => {
        const { code, message } = await failureOf(commandBus.send([command("late")]));
        expect([code, message]).toEqual(["UNAVAILABLE", expect.stringContaining("low on memory")]);
      };
      await vi.waitFor(alarmed, SOON);
      const started = performance.now();
      await alarmed();
      expect(performance.now() - started).toBeLessThan(1_000);
      expect((await adapter.health()).detail).toContain("low on memory");
      await commandBus.work("work", { concurrency: 5 }, async (delivery) => {
        const settlement = await handle(delivery);
        return delivery.id === "again" && delivery.attempt === 1
          ? { kind: "retry", delayMs: 0, counted: true }
          : settlement;
      });
      await vi.waitFor(() => expect(ids().slice(0, 2).sort()).toEqual(["a", "again"]), SOON);
    } finally {
      await server.ctl("set_vm_memory_high_watermark", "0.6");
    }
    await vi.waitFor(() => expect(ids().filter((id) => id === "again")).toHaveLength(2), SOON);
    await commandBus.send([command("b")]);
    await vi.waitFor(() => expect(ids()).toContain("b"), SOON);
  });

  test("health tells the lag of what is consumed here", async () => {
    fresh();
    const { commandBus, adapter } = make();
    expect((await adapter.health()).connected).toBe(false);
    await commandBus.work("work", { concurrency: 1 }, () => new Promise(() => {}));
    await commandBus.send(["a", "b", "c"].map((id) => ({ ...command(id), queue: "work" })));
    const consumptions = [{ place: "work", consuming: true, lag: 2 }];
    await vi.waitFor(async () => expect(await adapter.health()).toMatchObject({ consumptions }), SOON);
  });

  test("adapters of one URL and one process share two connections, which end with the last of them", async () => {
    fresh();
    const factory = rabbit({ heartbeatMs: 1_000 });
    const proxy = await startProxy(server.port);
    const url = new URL(server.url);
    url.port = String(proxy.port);
    const context = { url: url.href, namespace, node: "test", clock: systemClock, logger };
    const [first, second] = [factory.create(context), factory.create({ ...context, namespace: `${namespace}-x` })];
    expect(proxy.connections).toBe(0);
    await Promise.all([first.connect(), second.connect()]);
    expect(proxy.connections).toBe(2);
    await first.close();
    expect((await second.health()).connected).toBe(true);
    await second.close();
    await vi.waitFor(() => expect(proxy.connections).toBe(0), SOON);
    await proxy.close();
  });

  test("a connection of the application's is used and not closed; once it is gone that is told", async () => {
    fresh();
    const [publishConnection, consumeConnection] = [await connect(server.url), await connect(server.url)];
    const own = { publishConnection, consumeConnection, sendTimeoutMs: 1_000 };
    const { adapter, commandBus } = make(own);
    const { ids, handle } = recorder();
    await commandBus.work("work", { concurrency: 1 }, handle);
    await commandBus.send([command("a")]);
    await vi.waitFor(() => expect(ids()).toEqual(["a"]), SOON);
    await adapter.close();
    await Promise.all([publishConnection.createChannel(), consumeConnection.createChannel()]);
    const next = make(own);
    await next.commandBus.send([command("b")]);
    await publishConnection.close();
    const { code, message } = await failureOf(next.commandBus.send([command("c")]));
    expect([code, message]).toEqual(["UNAVAILABLE", expect.stringContaining("application gave")]);
    await consumeConnection.close();
  });

  test("two processes that list the same dead letters at once both see all of them", async () => {
    fresh();
    const { commandBus } = make();
    await commandBus.work("work", { concurrency: 50 }, async () => ({ kind: "dead-letter", reason: "no good" }));
    await commandBus.send(Array.from({ length: 300 }, (_, at) => command(`m${at}`)));
    await vi.waitFor(async () => expect(await commandBus.inspect("work")).toMatchObject({ dead: 300 }), SOON);
    const others = [make(), make(), make()];
    const pages = await Promise.all(others.map((other) => other.commandBus.deadLetters.list("work", { limit: 1_000 })));
    for (const { items, next } of pages) expect([items.length, next]).toEqual([300, undefined]);
    const [first] = pages;
    for (const { items } of pages) expect(items).toEqual(first?.items);
  });

  test("types that a listener no longer wants are not delivered, and their bindings go", async () => {
    fresh();
    const { eventBus } = make();
    const [before, after] = [recorder(), recorder()];
    const both = { ...listening, types: ["book.created", "book.deleted"] };
    await (await eventBus.listen(reader, both, before.handle)).close();
    await eventBus.publish([event("old", "book.deleted"), event("kept")]);
    await eventBus.listen(reader, listening, after.handle);
    await vi.waitFor(() => expect(after.ids()).toEqual(["kept"]), SOON);
    await vi.waitFor(async () => {
      const bindings = await server.ctl("list_bindings", "source_name", "routing_key");
      const own = bindings.split("\n").filter((line) => line.startsWith(`intermodal.${namespace}.events`));
      expect(own).toEqual([expect.stringContaining("book.created")]);
    }, SOON);
  });

  test("what comes due for a listener that was forgotten is put aside and holds up nobody", async () => {
    fresh();
    const { commandBus, eventBus } = make();
    const bounced = recorder();
    await eventBus.listen(reader, listening, async (delivery) => {
      await bounced.handle(delivery);
      return { kind: "retry", delayMs: 2_000, counted: true };
    });
    await eventBus.publish(Array.from({ length: 40 }, (_, at) => event(`e${at}`)));
    const { ids, handle } = recorder();
    await commandBus.work("work", { concurrency: 1 }, handle);
    await vi.waitFor(() => expect(bounced.seen.length).toBeGreaterThanOrEqual(40), SOON);
    await Promise.all(open.splice(0).map((adapter) => adapter.close()));
    const next = make();
    await next.eventBus.forget(reader);
    await next.commandBus.work("work", { concurrency: 1 }, handle);
    await next.commandBus.send([{ ...command("c"), delayMs: 2_000 }]);
    await vi.waitFor(() => expect(ids()).toEqual(["c"]), SOON);
    await vi.waitFor(async () => {
      const { messageCount } = await operate((channel) => channel.checkQueue(`intermodal.${namespace}.unrouted`));
      expect(messageCount).toBeGreaterThanOrEqual(40);
    }, SOON);
  });

  test("handlers that lost their messages still take their slots, and give them back", async () => {
    fresh();
    const proxy = await startProxy(server.port);
    const url = new URL(server.url);
    url.port = String(proxy.port);
    const { commandBus } = make({}, url.href);
    const release = Promise.withResolvers<void>();
    const [held, free] = [recorder(release.promise), recorder()];
    let [running, most] = [0, 0];
    await commandBus.work("work", { concurrency: 3 }, async (delivery) => {
      most = Math.max(most, ++running);
      await (delivery.id.startsWith("held") && delivery.attempt === 1 ? held : free).handle(delivery);
      running--;
      return ACK;
    });
    await commandBus.send([command("held-1"), command("held-2")]);
    await vi.waitFor(() => expect(held.seen.length).toBe(2), SOON);
    proxy.breakConnections();
    await vi.waitFor(() => expect(held.seen.map(({ signal }) => signal.aborted)).toEqual([true, true]), SOON);
    await vi.waitFor(() => expect(free.ids().sort()).toEqual(["held-1", "held-2"]), SOON);
    release.resolve();
    await vi.waitFor(() => commandBus.send(Array.from({ length: 30 }, (_, at) => command(`m${at}`))), SOON);
    await vi.waitFor(() => expect(free.seen.length).toBe(32), SOON);
    expect(most).toBe(3);
    await proxy.close();
  });
});
