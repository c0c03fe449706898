import { type NatsOptions, nats } from "@intermodal/adapter-nats";
import { ACK, type Adapter, type Delivery, type EventBus, type Logger, systemClock } from "@intermodal/core/ports";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Server, startProxy, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";

const missing = await whyMissing("nats");
if (missing !== undefined) test("nats", (t) => skipWithout(missing, t));

const SOON = { timeout: 15_000, interval: 20 };
const utf8 = (text: string) => new TextEncoder().encode(text);
const command = (id: string, queue = "work") => ({ queue, id, type: "probe", body: utf8(id) });
const event = (id: string) => ({ id, type: "book.created", body: utf8(id) });
const listener = { service: "shop", listener: "reader" };

describe.runIf(missing === undefined)("what stands on a NATS server", () => {
  let server: Server;
  let operator: NatsConnection;
  let manager: JetStreamManager;
  let namespaces = 0;
  let namespace: string;
  const open: Adapter[] = [];
  const log: string[] = [];
  const note = (message: string) => void log.push(message);
  const logger: Logger = { debug() {}, info: note, warn: note, error: note };

  beforeAll(async () => {
    server = await startServer("nats");
    operator = await connect({ servers: server.url });
    manager = await jetstreamManager(operator);
  });
  afterAll(async () => {
    await operator.close();
    await server.close();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((adapter) => adapter.close()));
    log.length = 0;
  });

  function make(options: NatsOptions = {}, url = server.url): Adapter {
    const context = { url, namespace, node: "test", clock: systemClock, logger };
    const adapter = nats({ leaseMs: 2_000, ...options }).create(context);
    open.push(adapter);
    return adapter;
  }
  const commandBusOf = (adapter: Adapter) => adapter.commandBus ?? expect.fail("no command bus");
  const eventBusOf = (adapter: Adapter): EventBus => adapter.eventBus ?? expect.fail("no event bus");

  function place(name = `n${++namespaces}`): { tasks: string; events: string } {
    namespace = name;
    return { tasks: `im_${name}_TASKS`, events: `im_${name}_EVENTS` };
  }

  /** Notes what is delivered. */
  function recorder() {
    const seen: Delivery[] = [];
    const handle = async (delivery: Delivery) => {
      seen.push(delivery);
      return ACK;
    };
    return { seen, handle, ids: () => seen.map(({ id }) => id).sort() };
  }

  test("exactly two streams per namespace", async () => {
    const { tasks, events } = place();
    const adapter = make();
    await commandBusOf(adapter).send([command("a")]);
    await eventBusOf(adapter).listen(
      listener,
      { types: ["book.created"], from: "new", concurrency: 1 },
      async () => ACK,
    );
    const names: string[] = [];
    for await (const { config } of manager.streams.list()) names.push(config.name);
    expect(names.filter((name) => name.startsWith(`im_${namespace}_`)).sort()).toEqual([events, tasks]);
    const { config } = await manager.streams.info(tasks);
    expect(config).toMatchObject({ retention: "workqueue", discard: "new", storage: "file", max_age: 0 });
    expect(await manager.streams.info(events)).toMatchObject({ config: { retention: "limits", discard: "old" } });
  });

  test("a stream with settings that can't be changed is refused by name and field", async () => {
    const { tasks } = place();
    await manager.streams.add({
      name: tasks,
      subjects: [`im.${namespace}.cmd.>`],
      retention: "limits",
      storage: "memory",
    });
    await expect(make().connect()).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(
        new RegExp(`${tasks}.*retention is "limits", needed is "workqueue".*storage is "memory", needed is "file"`),
      ),
    });
  });

  test("what can be changed is changed and told; what is the operator's stays", async () => {
    const { events } = place();
    await manager.streams.add({
      name: events,
      subjects: [`im.${namespace}.evt.>`],
      max_age: 3_600 * 1e9,
      duplicate_window: 60 * 1e9,
      description: "the operator's",
    });
    await make({ eventLimits: { maxMessages: 1_000 } }).connect();
    const { config } = await manager.streams.info(events);
    expect(config).toMatchObject({
      subjects: [`im.${namespace}.evt.>`, `im.${namespace}.again.>`],
      max_age: 3_600 * 1e9,
      duplicate_window: 120 * 1e9,
      max_msgs: 1_000,
      description: "the operator's",
    });
    expect(log.join("\n")).toMatch(/duplicate_window is changed from 60000000000 to 120000000000/);
    expect(log.join("\n")).toMatch(/subjects is changed from/);
    expect(log.join("\n")).toMatch(/max_msgs is changed from -1 to 1000/);
  });

  test("other types and another lease change the durable, and are told", async () => {
    const { events } = place();
    const bus = eventBusOf(make());
    const first = await bus.listen(listener, { types: ["a"], from: "new", concurrency: 1 }, async () => ACK);
    await first.close();
    const { seen, handle } = recorder();
    await eventBusOf(make({ leaseMs: 5_000 })).listen(listener, { types: ["b"], from: "new", concurrency: 1 }, handle);
    await bus.publish(["a", "b"].map((type) => ({ id: type, type, body: utf8(type) })));
    await vi.waitFor(() => expect(seen.map(({ type }) => type)).toEqual(["b"]), SOON);
    const { config } = await manager.consumers.info(events, "l_shop=_reader");
    expect(config.ack_wait).toBe(5_000 * 1e6);
    expect(log.join("\n")).toMatch(/filter_subjects is changed from .*evt\.a.* to .*evt\.b/);
  });

  test("a listener whose durable was deleted goes on where it was", async () => {
    const { events } = place();
    const adapter = make();
    const bus = eventBusOf(adapter);
    const { handle, ids } = recorder();
    await bus.listen(listener, { types: ["book.created"], from: "new", concurrency: 1 }, handle);
    await bus.publish([event("before")]);
    await vi.waitFor(() => expect(ids()).toEqual(["before"]), SOON);
    await manager.consumers.delete(events, "l_shop=_reader");
    await bus.publish([event("between")]);
    await vi.waitFor(() => expect(ids()).toContain("between"), SOON);
    await bus.publish([event("after")]);
    await vi.waitFor(() => expect(ids()).toContain("after"), SOON);
    expect(log.join("\n")).toMatch(/the consumer is gone/);
  });

  test("streams that were deleted are made again, with everything on them", async () => {
    const { tasks, events } = place();
    const adapter = make();
    const [worked, heard] = [recorder(), recorder()];
    await commandBusOf(adapter).work("work", { concurrency: 2 }, worked.handle);
    const options = { types: ["book.created"], from: "new" as const, concurrency: 2 };
    await eventBusOf(adapter).listen(listener, options, heard.handle);
    await commandBusOf(adapter).send([command("a")]);
    await vi.waitFor(() => expect(worked.ids()).toEqual(["a"]), SOON);
    await manager.streams.delete(tasks);
    await manager.streams.delete(events);
    await commandBusOf(adapter).send([command("b"), { ...command("c"), delayMs: 300 }]);
    await eventBusOf(adapter).publish([event("d")]);
    await vi.waitFor(() => expect([worked.ids(), heard.ids()]).toEqual([["a", "b", "c"], ["d"]]), SOON);
  });

  test("publishers without this SDK: plain messages, with a message id or without", async () => {
    const { tasks, events } = place();
    const adapter = make();
    const [worked, heard] = [recorder(), recorder()];
    await commandBusOf(adapter).work("work", { concurrency: 1 }, worked.handle);
    await eventBusOf(adapter).listen(listener, { types: ["book.created"], from: "new", concurrency: 1 }, heard.handle);
    const js = jetstream(operator);
    await js.publish(`im.${namespace}.cmd.work`, "{}");
    await js.publish(`im.${namespace}.evt.book.created`, "{}", { msgID: "50%41" });
    const odd = headers();
    odd.set("Content-Type", "application/json");
    await js.publish(`im.${namespace}.evt.book.created`, "{}", { headers: odd });
    await vi.waitFor(() => expect([worked.seen.length, heard.seen.length]).toEqual([1, 2]), SOON);
    expect(worked.seen.map(({ id, type }) => [id, type])).toEqual([[`${tasks}:1`, ""]]);
    expect(heard.seen.map(({ id, type, attempt }) => [id, type, attempt])).toEqual([
      ["50%41", "book.created", 1],
      [`${events}:2`, "book.created", 1],
    ]);
  });

  test("the longest names that there may be, and ids of any characters", async () => {
    const longest = "a.".repeat(63).concat("aa");
    place(longest);
    const adapter = make();
    const [worked, heard] = [recorder(), recorder()];
    const ids = ["~c.x.1", "50%", "%41", "a b", " ", "ü → 中", "x\r\ny", "="].sort();
    const queue = longest.replaceAll("a", "B");
    await commandBusOf(adapter).work(queue, { concurrency: 5 }, worked.handle);
    const long = { service: longest, listener: longest };
    await eventBusOf(adapter).listen(long, { types: [longest], from: "new", concurrency: 5 }, heard.handle);
    await commandBusOf(adapter).send(ids.map((id) => command(id, queue)));
    await eventBusOf(adapter).publish(ids.map((id) => ({ id, type: longest, body: utf8(id) })));
    await vi.waitFor(() => expect([worked.ids(), heard.ids()]).toEqual([ids, ids]), SOON);
  });

  test("a client of the host's is used, and left open", async () => {
    place();
    const client = await connect({ servers: server.url, maxReconnectAttempts: -1 });
    const adapter = make({ client }, "nats:");
    const { handle, ids } = recorder();
    await commandBusOf(adapter).work("work", { concurrency: 1 }, handle);
    await commandBusOf(adapter).send([command("a")]);
    await vi.waitFor(() => expect(ids()).toEqual(["a"]), SOON);
    await adapter.close();
    expect(client.isClosed()).toBe(false);
    await client.close();
  });

  test("equal URLs share a connection until the last one closes", async () => {
    place();
    const proxy = await startProxy(server.port);
    const url = `nats://127.0.0.1:${proxy.port}`;
    const factory = nats();
    const create = (node: string) => factory.create({ url, namespace, node, clock: systemClock, logger });
    const [first, second] = [create("first"), create("second")];
    await Promise.all([first.connect(), second.connect()]);
    expect(proxy.connections).toBe(1);
    await first.close();
    await commandBusOf(second).send([command("a")]);
    await second.close();
    await vi.waitFor(() => expect(proxy.connections).toBe(0), SOON);
    await proxy.close();
  });

  test("of several servers in a URL one is enough", async () => {
    place();
    const adapter = make({}, `nats://127.0.0.1:1,127.0.0.1:${server.port}`);
    await adapter.connect();
    expect(await adapter.health()).toMatchObject({
      connected: true,
      detail: expect.stringContaining(`127.0.0.1:${server.port}`),
    });
  });

  test("health tells the lag of what is consumed here", async () => {
    place();
    const adapter = make();
    expect((await adapter.health()).connected).toBe(false);
    await commandBusOf(adapter).work("work", { concurrency: 1 }, () => new Promise(() => {}));
    await commandBusOf(adapter).send(["a", "b", "c"].map((id) => command(id)));
    const consumptions = [{ place: "work", consuming: true, lag: 2 }];
    await vi.waitFor(async () => expect(await adapter.health()).toMatchObject({ consumptions }), SOON);
  });
});
