import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp, defineTask, toNodeHandler } from "@intermodal/core";
import { followRun } from "@intermodal/core/client";
import { z } from "zod";

const agent = defineTask("agent.answer", { input: z.object({ question: z.string() }), output: z.string() });

const app = createApp({ name: "agents" });
app.handle(agent, async ({ question }, ctx) => {
  for (const token of question.split(" ").reverse()) ctx.emit("token", { token });
  return "done";
});
await app.start();

const handler = app.runStreamHandler({
  authorize: (request) => request.headers.get("authorization") === "Bearer secret",
});
const server = createServer(toNodeHandler(handler)).listen(0, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const task = await app.submit(agent, { question: "who goes there" });
const events = followRun(`${origin}/runs/${task.id}/events`, { headers: { authorization: "Bearer secret" } });
for await (const event of events) {
  if ("gap" in event) console.log("trimmed", event.gap);
  else console.log(event.sequence, event.name, JSON.stringify(event.data));
}
server.close();
await app.stop();
