import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { KINDS, type Server, type ServerKind, startServer, whyMissing } from "./index.ts";
import { foldersOf } from "./leftovers.ts";
import { commandOf } from "./mongo.ts";
import { which } from "./path.ts";
import { descendants } from "./process-table.ts";
import { run } from "./processes.ts";
import { skipWithout } from "./skip-without.ts";
import { converse } from "./socket.ts";

/** What a client of each kind says first, and what it is answered. */
const GREETINGS: Readonly<Record<ServerKind, readonly [greeting: string | Buffer, answer: RegExp]>> = {
  nats: ['CONNECT {"verbose":false}\r\nPING\r\n', /PONG/],
  rabbit: ["AMQP\0\0\x09\x01", /RabbitMQ/],
  redis: ["PING\r\n", /PONG|NOAUTH/],
  valkey: ["PING\r\n", /PONG|NOAUTH/],
  mongo: [commandOf("hello"), /isWritablePrimary/],
};
const PATIENCE_MS = 500;

async function ask({ kind, url }: { readonly kind: ServerKind; readonly url: string }): Promise<boolean> {
  const [greeting, answer] = GREETINGS[kind];
  const understand = (said: Buffer) => answer.test(said.toString("latin1")) || undefined;
  return converse(new URL(url), understand, greeting, PATIENCE_MS);
}

function needOwn({ restartable }: Server, { skip }: TestContext): void {
  if (!restartable) skip("the server of the environment is not ours");
}

/** What the processes of a server of this machine listen on, whatever for. */
async function listening(): Promise<string[]> {
  const pids = (await descendants(process.pid)).map(({ pid }) => `pid=${pid},`);
  const sockets = (await run(["ss", "-ltnpH"])).split("\n").filter((line) => pids.some((pid) => line.includes(pid)));
  return sockets.map((line) => line.trim().split(/\s+/)[3] ?? line);
}

for (const kind of KINDS) {
  const missing = await whyMissing(kind);
  if (missing !== undefined) {
    it(kind, (t) => skipWithout(missing, t));
    continue;
  }

  describe(kind, () => {
    let server: Server;
    beforeAll(async () => {
      server = await startServer(kind);
    });
    afterAll(() => server.close());

    it("answers, and says its version", async () => {
      expect(await ask(server)).toBe(true);
      expect(server.version).toMatch(/^\d+\.\d+/);
      expect(server.url).toContain(`:${server.port}`);
    });

    it("listens on loopback only", async (t) => {
      needOwn(server, t);
      const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
      for (const { address, internal, family } of addresses) {
        if (internal || family !== "IPv4") continue;
        await expect(ask({ kind, url: server.url.replace("127.0.0.1", address) })).rejects.toThrow("ECONNREFUSED");
      }
      if ((await which("ss")) === undefined) return;
      expect((await listening()).filter((address) => !/^(127\.0\.0\.1|\[::1\]):/.test(address))).toEqual([]);
    });

    it("answers nothing while it is frozen", async (t) => {
      needOwn(server, t);
      await server.freeze();
      await expect(ask(server)).rejects.toThrow("says nothing");
      await server.unfreeze();
      expect(await ask(server)).toBe(true);
    });

    it("is gone when it is killed, and comes back on its port", { timeout: 60_000 }, async (t) => {
      needOwn(server, t);
      const { port } = server;
      await server.kill();
      await expect(ask(server)).rejects.toThrow("ECONNREFUSED");
      await server.start();
      expect(await ask(server)).toBe(true);
      expect(server.port).toBe(port);
    });

    it("can be stopped while it is frozen, and closed while it is stopped; nothing is left", async (t) => {
      needOwn(server, t);
      const processes = await descendants(process.pid);
      const folders = foldersOf(processes);
      expect(folders).toHaveLength(processes.length === 0 ? 0 : 1);
      await server.freeze();
      await server.stop();
      await server.close();
      expect(folders.filter(existsSync)).toEqual([]);
      await expect.poll(() => descendants(process.pid)).toEqual([]);
    });
  });
}
