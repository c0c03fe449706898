import { ACK } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { dockerImage } from "../servers/docker.ts";
import { startServer, whyMissing } from "../servers/index.ts";
import { onPath } from "../servers/path.ts";
import { freePort } from "../servers/ports.ts";
import { command, onNats, recorder } from "./nats-stage.ts";

const SOON = { timeout: 20_000, interval: 100 };

/** Nodes in containers do not know under which addresses they are reached from outside. */
async function whyNoCluster(): Promise<string | undefined> {
  const missing = await whyMissing("nats");
  if (missing !== undefined || (await onPath("nats-server")) !== undefined) return missing;
  return "image" in (await dockerImage("nats")) ? "a cluster needs nats-server itself, not its image" : undefined;
}

async function startCluster() {
  const [a, b, c] = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = [a, b, c].map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
  const start = (name: string, port: number) => {
    const cluster = `cluster { name: c, listen: "127.0.0.1:${port}", routes: [${routes}] }`;
    return startServer("nats", { config: `server_name: ${name}\n${cluster}` });
  };
  return Promise.all([start("a", a), start("b", b), start("c", c)]);
}

await onNats(
  "while nobody leads a queue's consumer in a cluster",
  (stage) => {
    test("an acknowledgement is brought to the next one", { timeout: 60_000 }, async () => {
      await vi.waitFor(() => stage.manager.getAccountInfo(), SOON);
      const adapter = stage.make({ replicas: 3, connection: { ignoreClusterUpdates: true } });
      await vi.waitFor(() => adapter.connect(), SOON);
      const bus = adapter.commandBus;
      const end = Promise.withResolvers<typeof ACK>();
      const { handle, ids } = recorder(() => end.promise);
      await bus.work("work", { concurrency: 1 }, handle);
      await bus.send([command("a")]);
      await vi.waitFor(() => expect(ids()).toEqual(["a"]), SOON);
      await stage.operator.request(`$JS.API.CONSUMER.LEADER.STEPDOWN.${stage.tasks}.q_work`);
      end.resolve(ACK);
      await vi.waitFor(async () => expect(await bus.inspect("work")).toMatchObject({ ready: 0, inFlight: 0 }), SOON);
      expect(ids()).toEqual(["a"]);
    });
  },
  { missing: whyNoCluster, start: startCluster },
);
