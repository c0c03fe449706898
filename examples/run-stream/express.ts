import { createServer, type Server } from "node:http";
import { toNodeHandler } from "@intermodal/core";
import express from "express";

/** Serves the events of runs with Express, which hands over the objects of `node:http`. */
export async function serveWithExpress(
  runEvents: (request: Request) => Promise<Response>,
  port: number,
): Promise<Server> {
  const app = express();
  app.get("/runs/:id/events", toNodeHandler(runEvents));
  const server = createServer(app).listen(port, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  return server;
}
