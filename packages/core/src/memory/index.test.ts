import { describe, expect, it } from "vitest";
import { silentLogger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { type MemoryAdapter, MemoryServer, memory } from "./index.ts";

const clock = new VirtualClock();
const context = (url: string) => ({ url, namespace: "n", node: "node", clock, logger: silentLogger });
const message = { queue: "q", id: "m", type: "t", body: new Uint8Array() };

describe("memory()", () => {
  it("gives every client of one factory the same server, and another factory its own", async () => {
    const factory = memory();
    await factory.create(context("memory:")).commandBus?.send([message]);
    expect((await factory.create(context("memory:")).commandBus?.inspect("q"))?.ready).toBe(1);
    expect((await memory().create(context("memory:")).commandBus?.inspect("q"))?.ready).toBe(0);
  });

  it("shares a server by name over all factories with the same clock", async () => {
    await memory().create(context("memory:shop")).commandBus?.send([message]);
    expect((await memory().create(context("memory://shop")).commandBus?.inspect("q"))?.ready).toBe(1);
    expect((await memory().create(context("memory:other")).commandBus?.inspect("q"))?.ready).toBe(0);
    const elsewhere = { ...context("memory:shop"), clock: new VirtualClock() };
    expect((await memory().create(elsewhere).commandBus?.inspect("q"))?.ready).toBe(0);
  });

  it("connects to the server that it was given", () => {
    const server = new MemoryServer(clock, { maxEvents: 5 });
    const adapter = memory({ server }).create(context("memory:")) as MemoryAdapter;
    expect(adapter.server).toBe(server);
    expect(server.limits).toMatchObject({ maxEvents: 5, leaseMs: 10_000 });
  });

  it("refuses a URL that names no server", () => {
    for (const url of ["memory:a b", "memory:/tmp/x", "memory:name?limit=5"]) {
      expect(() => memory().create(context(url))).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    }
  });

  it("tells whether the server can be reached, and refuses everything once closed", async () => {
    const server = new MemoryServer(clock);
    const adapter = memory({ server }).create(context("memory:"));
    await adapter.connect();
    expect(await adapter.health()).toMatchObject({ connected: true });
    server.stop();
    expect(await adapter.health()).toMatchObject({ connected: false });
    await expect(adapter.connect()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const late = memory({ server }).create(context("memory:"));
    await expect(late.connect()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    server.start();
    await late.connect();
    await adapter.close();
    await adapter.close();
    await expect(adapter.connect()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(adapter.health()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(adapter.commandBus?.send([message])).rejects.toMatchObject({ code: "CLOSED" });
  });
});
