// Serves runs over HTTP on loopback, as an application's web process does, until it is ended.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRunStreamHandler, toNodeHandler } from "@intermodal/core";
import { silentLogger, systemClock } from "@intermodal/core/ports";
import { settings, tell } from "../test/faults/parent.ts";
import { openStreams, type StreamsPlace } from "./streams-place.ts";

export interface ServerTold {
  readonly port: number;
}

const { streams } = await openStreams(settings<StreamsPlace>(), "bench-server");
const handler = createRunStreamHandler({
  source: { eventStream: streams, locate: async (runId) => ({ streamId: runId, segment: 1 }) },
  clock: systemClock,
  logger: silentLogger,
});
const server = createServer(toNodeHandler(handler));
server.listen(0, "127.0.0.1", () => void tell({ port: (server.address() as AddressInfo).port } satisfies ServerTold));
