import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

/** Serves the events of runs with Hono, which speaks Request and Response itself. */
export async function serveWithHono(runEvents: (request: Request) => Promise<Response>, port: number): Promise<Server> {
  const app = new Hono();
  app.get("/runs/:id/events", (context) => runEvents(context.req.raw));
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(port, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  return server;
}
