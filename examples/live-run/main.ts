// A page that follows an agent at work: node examples/live-run/main.ts, then open the address that it prints.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp, toNodeHandler } from "@intermodal/core";
import { answerQuestion } from "./agent.ts";
import { research } from "./contracts.ts";
import { liveRunSite } from "./site.ts";

const app = createApp({ name: "live-run" }); // INTERMODAL_URL and its like, or memory:
app.handle(research, (input, ctx) =>
  answerQuestion(input, {
    emit: (name, data) => ctx.emit(name, data),
    progress: (progress) => ctx.progress(progress),
    pause: (pauseMs) => sleep(pauseMs, undefined, { signal: ctx.signal }),
  }),
);
await app.start();

const server = createServer(toNodeHandler(await liveRunSite(app)));
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`Live run: http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    void app.stop({ timeoutMs: 1_000 });
  });
}
