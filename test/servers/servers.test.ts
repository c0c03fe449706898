import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KINDS, type Server, type ServerKind, startServer, whyMissing } from "./index.ts";
import { foldersOf } from "./leftovers.ts";
import { commandOf } from "./mongo.ts";
import { descendants } from "./process-table.ts";
import { run } from "./processes.ts";
import { converse } from "./socket.ts";

/** What a client of each kind says first, and what it is answered. */
const GREETINGS: Readonly<Record<ServerKind, readonly [greeting: string | Buffer, answer: RegExp]>> = {
  nats: ['CONNECT {"verbose":false}\r\nPING\r\n', /PONG/],
  rabbit: ["AMQP\0\0\x09\x01", /RabbitMQ/],
  redis: ["PING\r\n", /PONG/],
  valkey: ["PING\r\n", /PONG/],
  mongo: [commandOf("hello"), /isWritablePrimary/],
};

const PATIENCE_MS = 500;

async function ask({ kind, url }: Server): Promise<boolean> {
  const [greeting, answer] = GREETINGS[kind];
  return converse(new URL(url), (said) => answer.test(said.toString("latin1")) || undefined, greeting, PATIENCE_MS);
}

for (const kind of KINDS) {
  const missing = await whyMissing(kind);
  describe.skipIf(missing !== undefined && !process.env.CI)(
    `${kind}${missing === undefined ? "" : `: ${missing}`}`,
    () => {
      let server: Server;
      beforeAll(async () => {
        server = await startServer(kind);
      });
      afterAll(() => server.close());

      it("answers, and says its version", async () => {
        expect(await ask(server)).toBe(true);
        expect(server.version).toMatch(/^\d+\.\d+/);
        expect(server.url).toContain(`127.0.0.1:${server.port}`);
      });

      it("listens on loopback only", async ({ skip }) => {
        if (process.platform !== "linux") skip("the list of sockets is Linux's");
        const pids = (await descendants(process.pid)).map(({ pid }) => `pid=${pid},`);
        const sockets = (await run(["ss", "-ltnpH"]))
          .split("\n")
          .filter((line) => pids.some((pid) => line.includes(pid)));
        expect(sockets.length).toBeGreaterThan(0);
        expect(sockets.filter((line) => !/\s(127\.0\.0\.1|\[::1\]):\d+\s/.test(line))).toEqual([]);
      });

      it("answers nothing while it is frozen", async () => {
        await server.freeze();
        await expect(ask(server)).rejects.toThrow("says nothing");
        await server.unfreeze();
        expect(await ask(server)).toBe(true);
      });

      it("is gone when it is killed, and comes back on its port", async () => {
        const { port } = server;
        await server.kill();
        await expect(ask(server)).rejects.toThrow("ECONNREFUSED");
        await server.start();
        expect(await ask(server)).toBe(true);
        expect(server.port).toBe(port);
      });

      it("can be stopped while it is frozen, and closed while it is stopped; nothing is left", async () => {
        const processes = await descendants(process.pid);
        const folders = foldersOf(processes);
        expect(folders).toHaveLength(1);
        await server.freeze();
        await server.stop();
        await server.close();
        expect(folders.filter(existsSync)).toEqual([]);
        await expect.poll(() => descendants(process.pid)).toEqual([]);
      });
    },
  );
}
