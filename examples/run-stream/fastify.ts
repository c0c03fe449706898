import type { Server } from "node:http";
import { toNodeHandler } from "@intermodal/core";
import { fastify } from "fastify";

/** Serves the events of runs with Fastify. */
export async function serveWithFastify(
  runEvents: (request: Request) => Promise<Response>,
  port: number,
): Promise<Server> {
  const app = fastify({ forceCloseConnections: true });
  const events = toNodeHandler(runEvents);
  app.get("/runs/:id/events", (request, reply) => {
    // Fastify can send a Response too, but would not let go of a client that reads nothing.
    reply.hijack();
    events(request.raw, reply.raw);
  });
  await app.listen({ port, host: "127.0.0.1" });
  return app.server;
}
