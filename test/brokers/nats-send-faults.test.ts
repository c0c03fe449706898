import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsOptions } from "@intermodal/adapter-nats";
import { ACK } from "@intermodal/core/ports";
import { AckPolicy } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { startProxy } from "../servers/index.ts";
import { listenOn } from "../servers/ports.ts";
import { command, onNats, recorder, SOON } from "./nats-stage.ts";

await onNats("what goes wrong on the way to a NATS server", (stage) => {
  test("delays go on once what they were refused for is mended", async () => {
    const adapter = stage.make();
    await adapter.connect();
    await stage.manager.consumers.add(stage.tasks, {
      durable_name: "delay",
      ack_policy: AckPolicy.Explicit,
      filter_subject: `im.${stage.namespace}.later.>`,
      deliver_subject: "elsewhere",
    });
    const { handle, tries } = recorder(({ attempt }) =>
      attempt === 1 ? { kind: "retry", delayMs: 100, counted: true } : ACK,
    );
    await adapter.commandBus.work("work", { concurrency: 1 }, handle);
    await adapter.commandBus.send([command("a")]);
    await vi.waitFor(() => expect(stage.log.join("\n")).toMatch(/delayed messages wait/), SOON);
    await stage.manager.consumers.delete(stage.tasks, "delay");
    await vi.waitFor(() => expect(tries()).toEqual(["a 1", "a 2"]), SOON);
  });

  test("a dead letter is counted whose removal was answered too late", async () => {
    const { commandBus, proxy } = await stage.process();
    const { handle } = recorder(() => ({ kind: "dead-letter", reason: "bad" }));
    await commandBus.work("work", { concurrency: 1 }, handle);
    await commandBus.send([command("a")]);
    const dead = async () => (await commandBus.deadLetters.list("work")).items.map(({ deadLetterId }) => deadLetterId);
    await vi.waitFor(async () => expect(await dead()).toHaveLength(1), SOON);
    const ids = await dead();
    proxy.loseAnswers(1, (chunk) => chunk.includes("STREAM.MSG.DELETE"));
    expect(await commandBus.deadLetters.discard("work", ids)).toBe(1);
    expect(await dead()).toEqual([]);
    expect(await commandBus.deadLetters.discard("work", ids)).toBe(0);
  });

  test("settings that the server will never accept are told, and not tried for ever", async () => {
    const work = (options: NatsOptions) =>
      stage.make(options).commandBus.work("work", { concurrency: 1 }, async () => ACK);
    const refused = (says: RegExp) => ({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
    await expect(work({ replicas: 3 })).rejects.toMatchObject(refused(/leave out replicas/));
    const minute = 60 * 1e9;
    const subjects = [`im.${stage.namespace}.evt.>`];
    await stage.manager.streams.add({ name: stage.events, subjects, max_age: minute, duplicate_window: minute });
    await expect(work({})).rejects.toMatchObject(refused(/stream .*EVENTS.*max age/));
  });

  test("nobody connects any more after close, whatever the client's options", async () => {
    let connections = 0;
    const refusing = createServer((socket) => {
      connections++;
      socket.resetAndDestroy();
    });
    onTestFinished(() => void refusing.close());
    const url = `nats://127.0.0.1:${await listenOn(refusing)}`;
    const adapter = stage.make({ url, connection: { waitOnFirstConnect: true, reconnectTimeWait: 20 } });
    const connecting = adapter.connect();
    connecting.catch(() => {});
    await vi.waitFor(() => expect(connections).toBeGreaterThan(0), SOON);
    await adapter.close();
    await expect(connecting).rejects.toMatchObject({ code: "CLOSED" });
    // The attempt that was under way ends.
    await sleep(300);
    const before = connections;
    await sleep(1_000);
    expect(connections).toBe(before);
  });

  test("a client of the host's that is connecting again is not taken for connected", async () => {
    const proxy = await startProxy(stage.server.port);
    onTestFinished(() => proxy.close());
    const client = await connect({
      servers: `127.0.0.1:${proxy.port}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 2_000,
      reconnectJitter: 0,
    });
    onTestFinished(() => client.close());
    const cut = new Promise<void>((resolve) => {
      void (async () => {
        for await (const { type } of client.status()) if (type === "disconnect") return resolve();
      })();
    });
    proxy.cut();
    await cut;
    const { commandBus } = stage.make({ client, url: "nats:", sendTimeoutMs: 500 });
    const refused = { code: "UNAVAILABLE", unknown: false, message: expect.stringContaining("could not be reached") };
    await expect(commandBus.send([command("a")])).rejects.toMatchObject(refused);
    proxy.mend();
    await vi.waitFor(() => commandBus.send([command("a")]), SOON);
  });
});
