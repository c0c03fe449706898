import { createApp, defineEvent, defineTask } from "@intermodal/core";
import { z } from "zod";

const order = z.object({ orderId: z.string() });
const reserveStock = defineTask("stock.reserve", { input: order, output: z.object({ shelf: z.string() }) });
const chargeCard = defineTask("card.charge", { input: order, output: z.object({ receipt: z.string() }) });
const fulfilOrder = defineTask("order.fulfil", { input: order, output: z.object({ receipt: z.string() }) });
const orderFulfilled = defineEvent("order.fulfilled", { data: z.object({ orderId: z.string(), receipt: z.string() }) });

const app = createApp({ name: "shop" });
let crashes = 1;

app.handle(reserveStock, ({ orderId }) => {
  console.log("reserving", orderId);
  return { shelf: "A7" };
});
app.handle(chargeCard, ({ orderId }) => {
  console.log("charging", orderId);
  return { receipt: `receipt of ${orderId}` };
});
app.handle(fulfilOrder, async ({ orderId }, ctx) => {
  console.log("fulfilling", orderId, "attempt", ctx.attempt); // runs in every attempt
  const { shelf } = await ctx.call(reserveStock, { orderId }); // runs once, is found again
  if (crashes-- > 0) throw new Error(`the light went out before ${shelf}`);
  const { receipt } = await ctx.call(chargeCard, { orderId });
  await ctx.publish(orderFulfilled, { orderId, receipt }); // only after all steps
  return { receipt };
});
app.on(orderFulfilled, { listener: "newsletter" }, ({ data }) => console.log("told of", data.receipt));

await app.start();
const task = await app.submit(fulfilOrder, { orderId: "1851" });
console.log(await task.result({ timeoutMs: 30_000 }));
await app.stop();
