import { createApp, defineTask } from "@intermodal/core";
import { z } from "zod";

const sendDigest = defineTask("digest.send", { input: z.object({ list: z.string() }) });

const app = createApp({ name: "newsroom" });
app.handle(sendDigest, ({ list }) => console.log("sending the digest to", list));

// Declared in code: registered by start(), fired by whichever worker is there.
const daily = app.schedule(sendDigest, {
  name: "daily-digest",
  cron: "30 7 * * MON-FRI",
  timezone: "Europe/Berlin",
  input: { list: "subscribers" },
});

const sent = new Promise<string>((resolve) => {
  app.lifecycle.on("completed", ({ taskId }) => resolve(taskId));
});
await app.start();

// Registered at run time, such as by a request: any process may, also one that has not been started.
const extra = await app.schedules.register(sendDigest, {
  name: "extra-edition",
  at: Date.now() + 500,
  input: { list: "everybody" },
});
const task = await sent;

await daily.pause();
for (const { name, definition, state } of (await app.schedules.list()).items) {
  console.log(name, Object.keys(definition.timing).join(" "), state.status, "fired", state.fires);
}
console.log("its task:", (await extra.get())?.state.lastTaskId === task);
await app.stop();
