import { setTimeout as sleep } from "node:timers/promises";
import { dockerImage } from "./docker.ts";
import { type Server, startServer, whyMissing } from "./index.ts";
import { onPath } from "./path.ts";
import { freePort } from "./ports.ts";
import { converse } from "./socket.ts";

export type ClusterKind = "redis" | "valkey";

/** A Redis Cluster of nodes of this machine, without replicas. */
export interface RedisCluster {
  readonly kind: ClusterKind;
  readonly version: string;
  readonly nodes: readonly Server[];
  /** Names every node. */
  readonly url: string;
  /** Ends all nodes at once, as a loss of power does. */
  kill(): Promise<void>;
  /** Starts those that do not run; resolves when the cluster serves all slots. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const SLOTS = 16_384;
const NODES = 3;
const READY_MS = 60_000;
const POLL_MS = 20;
const OPTIONS = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"];

/** Why there can be none here; undefined when there can. */
export async function whyNoCluster(kind: ClusterKind): Promise<string | undefined> {
  const missing = await whyMissing(kind);
  if (missing !== undefined || (await onPath(`${kind}-server`)) !== undefined) return missing;
  if (!("image" in (await dockerImage(kind, undefined)))) return undefined;
  return `nodes in containers do not know under which addresses they are reached from outside: install ${kind}-server`;
}

export async function startRedisCluster(kind: ClusterKind = "redis"): Promise<RedisCluster> {
  const busPorts = await Promise.all(Array.from({ length: NODES }, freePort));
  const nodes = await Promise.all(
    busPorts.map((port) => startServer(kind, { args: [...OPTIONS, "--cluster-port", String(port)] })),
  );
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  try {
    await join(nodes, busPorts);
    await untilServing(nodes);
  } catch (error) {
    await close();
    throw error;
  }
  const running = new Set(nodes);
  return {
    kind,
    version: nodes[0]?.version ?? "",
    nodes,
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    async kill() {
      await Promise.all(nodes.map((node) => node.kill()));
      running.clear();
    },
    async start() {
      await Promise.all(nodes.filter((node) => !running.has(node)).map((node) => node.start()));
      for (const node of nodes) running.add(node);
      await untilServing(nodes);
    },
    close,
  };
}

async function join(nodes: readonly Server[], busPorts: readonly number[]): Promise<void> {
  for (const [at, node] of nodes.entries()) {
    const [from, to] = [at, at + 1].map((part) => Math.floor((SLOTS * part) / nodes.length));
    await order(node, `CLUSTER ADDSLOTSRANGE ${from} ${(to as number) - 1}`);
    await order(node, `CLUSTER SET-CONFIG-EPOCH ${at + 1}`);
  }
  const [first, ...others] = nodes as [Server, ...Server[]];
  for (const [at, { port }] of others.entries())
    await order(first, `CLUSTER MEET 127.0.0.1 ${port} ${busPorts[at + 1]}`);
}

function order(node: Server, command: string): Promise<true> {
  const understand = (said: Buffer) => {
    const answer = said.toString();
    if (answer.startsWith("-")) throw new Error(`${command}: ${answer}`);
    return answer === "+OK\r\n" || undefined;
  };
  return converse(new URL(node.url), understand, `${command}\r\n`);
}

/** Every node knows the others and that all slots are served. */
async function untilServing(nodes: readonly Server[]): Promise<void> {
  const deadline = performance.now() + READY_MS;
  const understand = (said: Buffer) => {
    const text = said.toString();
    if (!text.includes("+PONG")) return undefined;
    return text.includes("cluster_state:ok\r\n") && text.includes(`cluster_known_nodes:${nodes.length}\r\n`)
      ? "yes"
      : "no";
  };
  for (const node of nodes)
    while ((await converse(new URL(node.url), understand, "CLUSTER INFO\r\nPING\r\n")) === "no") {
      if (performance.now() > deadline)
        throw new Error(`the nodes of a ${nodes[0]?.kind} cluster don't find each other`);
      await sleep(POLL_MS);
    }
}
