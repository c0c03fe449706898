import { createServer, type Server } from "node:http";
import { toNodeHandler } from "@intermodal/core";

/** Serves the events of runs with what Node has. */
export async function serveWithNode(runEvents: (request: Request) => Promise<Response>, port: number): Promise<Server> {
  const events = toNodeHandler(runEvents);
  const server = createServer((request, response) => {
    if (/^\/runs\/[^/]+\/events(\?|$)/.test(request.url ?? "")) events(request, response);
    else response.writeHead(404).end();
  });
  server.listen(port, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  return server;
}
