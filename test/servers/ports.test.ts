import { createServer } from "node:net";
import { expect, it } from "vitest";
import { freePort, listenOn } from "./ports.ts";

it("gives each port once, below those of outgoing connections, and lets it be listened on", async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, freePort));
  expect(new Set(ports).size).toBe(300);
  expect(Math.max(...ports)).toBeLessThan(32_000);
  const servers = ports.slice(0, 10).map((port) => createServer().listen({ host: "127.0.0.1", port }));
  const others = await Promise.all(servers.map(() => listenOn(createServer().unref())));
  expect(others.filter((port) => ports.includes(port))).toEqual([]);
  for (const server of servers) server.close();
});
