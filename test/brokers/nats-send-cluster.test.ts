import { nats } from "@intermodal/adapter-nats";
import { ACK, type Adapter, type Delivery, silentLogger, systemClock } from "@intermodal/core/ports";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { dockerImage } from "../servers/docker.ts";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { onPath } from "../servers/path.ts";
import { freePort } from "../servers/ports.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { utf8 } from "./nats-send-stage.ts";

const SOON = { timeout: 20_000, interval: 100 };
const TASKS = "im_cluster_TASKS";

/** Nodes in containers do not know under which addresses they are reached from outside. */
async function whyNoCluster(): Promise<string | undefined> {
  const missing = await whyMissing("nats");
  if (missing !== undefined || (await onPath("nats-server")) !== undefined) return missing;
  return "image" in (await dockerImage("nats")) ? "a cluster needs nats-server itself, not its image" : undefined;
}

const missing = await whyNoCluster();
if (missing !== undefined) test("a cluster", (t) => skipWithout(missing, t));

describe.runIf(missing === undefined)("while nobody leads a queue's consumer in a cluster", () => {
  const nodes: Server[] = [];
  let operator: NatsConnection;
  let adapter: Adapter;

  beforeAll(async () => {
    const ports = await Promise.all(["a", "b", "c"].map(freePort));
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
    const start = async (port: number, at: number) => {
      const cluster = `cluster { name: c, listen: "127.0.0.1:${port}", routes: [${routes}] }`;
      nodes.push(await startServer("nats", { config: `server_name: node-${at}\n${cluster}` }));
    };
    await Promise.all(ports.map(start));
    const [first = expect.fail("no node")] = nodes;
    operator = await connect({ servers: first.url, ignoreClusterUpdates: true });
    const manager = await jetstreamManager(operator, { checkAPI: false });
    await vi.waitFor(() => manager.getAccountInfo(), SOON);
    const connection = { ignoreClusterUpdates: true };
    adapter = nats({ replicas: 3, connection }).create({
      url: first.url,
      namespace: "cluster",
      node: "test",
      clock: systemClock,
      logger: silentLogger,
    });
    await vi.waitFor(() => adapter.connect(), SOON);
  });
  afterAll(async () => {
    await adapter?.close();
    await operator?.close();
    await Promise.all(nodes.map((node) => node.close()));
  });

  test("an acknowledgement is brought to the next one", async () => {
    const bus = adapter.commandBus ?? expect.fail("no command bus");
    const seen: Delivery[] = [];
    const end = Promise.withResolvers<typeof ACK>();
    await bus.work("work", { concurrency: 1 }, (delivery) => {
      seen.push(delivery);
      return end.promise;
    });
    await bus.send([{ queue: "work", id: "a", type: "probe", body: utf8("a") }]);
    await vi.waitFor(() => expect(seen).toHaveLength(1), SOON);
    await operator.request(`$JS.API.CONSUMER.LEADER.STEPDOWN.${TASKS}.q_work`);
    end.resolve(ACK);
    await vi.waitFor(async () => expect(await bus.inspect("work")).toMatchObject({ ready: 0, inFlight: 0 }), SOON);
    expect(seen).toHaveLength(1);
  });
});
