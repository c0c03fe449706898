// A page that follows an agent at work: node scripts/with-toolchain.cjs examples/live-run/main.ts, then open the address that it prints.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp, isIntermodalError, toNodeHandler } from "@intermodal/core";
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

const server = createServer(toNodeHandler(await liveRunSite(app)));
const stop = () => {
  server.close();
  server.closeAllConnections();
  void app.stop({ timeoutMs: 1_000 });
};
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);

const { PORT = "8080" } = process.env;
try {
  // Before the app starts: that takes as long as its servers are away, which the page can tell meanwhile.
  await once(server.listen(Number(PORT), "127.0.0.1"), "listening");
  console.log(`Live run: http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await app.start();
} catch (error) {
  // Closed: it was told to stop while it was starting.
  if (!isIntermodalError(error, "CLOSED")) {
    console.error(`Live run: cannot start with PORT=${PORT}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
  stop();
}
