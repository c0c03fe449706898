import { createApp, defineCommand, defineEvent, defineTask, fixed } from "@intermodal/core";
import { z } from "zod";

const retry = { maxAttempts: 2, backoff: fixed(10) };
const bill = defineTask("bill.print", { input: z.object({ number: z.int() }), retry });
const stamp = defineCommand("letter.stamp", { input: z.object({ number: z.int() }), retry });
const billFailed = defineEvent("task.failed"); // what the bridge publishes

const logger = { debug() {}, info() {}, warn() {}, error() {} }; // pino, winston, console …
const app = createApp({ name: "post", logger });
const stamped = Promise.withResolvers<void>();
let paper = 0;
app.handle(bill, ({ number }) => {
  if (paper === 0) throw new Error("out of paper");
  console.log("printed", number);
});
app.handle(stamp, ({ number }) => {
  if (paper === 0) throw new Error("out of stamps");
  console.log("stamped", number);
  stamped.resolve();
});
app.bridge({ notifications: ["failed"], types: [bill] }); // published for other services
app.on(billFailed, { listener: "duty-officer" }, ({ data }) => console.log("told of", data.taskId, data.status));
app.lifecycle.on("retrying", ({ taskId, attempt }) => console.log("attempt", attempt, "of", taskId, "failed")); // in this process
await app.start();

const task = await app.submit(bill, { number: 7 }, { id: "bill-7", userId: "ada" });
await task.result().catch((error) => console.log(error.message, "after", error.attempts, "attempts"));
await app.send(stamp, { number: 8 });
while ((await app.inspectQueue()).dead < 2) await new Promise((wait) => setTimeout(wait, 10));

paper = 100;
const { items: tasks } = await app.tasks.list({ status: ["DEAD_LETTER", "FAILED"], userId: "ada" });
for (const { id } of tasks) await app.tasks.replay(id); // of tasks the record is the truth
const { items: letters } = await app.deadLetters.list("default");
const commands = letters.filter(({ taskId }) => taskId === undefined).map(({ deadLetterId }) => deadLetterId);
await app.deadLetters.replay("default", commands); // of plain commands the bus is
await task.result();
await stamped.promise;

const { state, adapters, listeners, lostRunEvents } = await app.health();
console.log(state, adapters[0]?.connected, listeners["duty-officer"], lostRunEvents);
await app.stop();
