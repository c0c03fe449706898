import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisCluster, startRedisCluster, whyNoCluster } from "./redis-cluster.ts";
import { skipWithout } from "./skip-without.ts";
import { converse } from "./socket.ts";

/** What one node says to a command. */
function ask(url: string, command: string): Promise<string> {
  const understand = (said: Buffer) => /^(?:[+-][^\r]*|\$-1|\$\d+\r\n[^\r]*)\r\n/.exec(said.toString())?.[0];
  return converse(new URL(url), understand, `${command}\r\n`);
}

for (const kind of ["redis", "valkey"] as const) {
  const missing = await whyNoCluster(kind);
  if (missing !== undefined) {
    it(`a ${kind} cluster`, (t) => skipWithout(missing, t));
    continue;
  }

  describe(`a ${kind} cluster`, () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster(kind);
    });
    afterAll(() => cluster.close());

    it("spreads keys over three nodes, each of which knows the others", async () => {
      const answers = await Promise.all(cluster.nodes.map(({ url }) => ask(url, "GET key")));
      expect(answers.filter((answer) => answer.startsWith("-MOVED"))).toHaveLength(2);
      const moved = answers
        .find((answer) => answer.startsWith("-MOVED"))
        ?.trim()
        .split(":")
        .at(-1);
      expect(cluster.nodes.map(({ port }) => String(port))).toContain(moved);
    });

    it("keeps what it has over the death of all nodes, or of one", async () => {
      const owner = async () => {
        for (const { url } of cluster.nodes) if (!(await ask(url, "GET key")).startsWith("-")) return url;
        throw new Error("nobody has the key");
      };
      expect(await ask(await owner(), "SET key value")).toBe("+OK\r\n");
      await cluster.kill();
      await cluster.start();
      expect(await ask(await owner(), "GET key")).toContain("value");
      const [first] = cluster.nodes;
      await first?.kill();
      await first?.start();
      await cluster.start();
      expect(await ask(await owner(), "GET key")).toContain("value");
    });
  });
}
