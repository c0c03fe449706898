import { expect, vi } from "vitest";
import { distinct } from "./actor-process.ts";
import { command, event, numbers } from "./contracts.ts";
import { onEachBroker } from "./each-broker.ts";
import { Sendings } from "./sendings.ts";

const BACKLOG = numbers(50);
const RETRIED = 100;
const FAILING = 101;
const DURING = numbers(10, 200);
const AFTER = 300;
/** The first send that meets an alarm, by which the server tells of it; and those that know. */
const FIRST_MS = 5_000;
const NEXT_MS = 500;
const BACK_MS = 20_000;

const ALARMS = [
  {
    what: "memory",
    on: ["set_vm_memory_high_watermark", "absolute", "1MB"],
    off: ["set_vm_memory_high_watermark", "0.8"],
  },
  { what: "disk", on: ["set_disk_free_limit", "100000GB"], off: ["set_disk_free_limit", "1MB"] },
] as const;

for (const { what, on, off } of ALARMS) {
  onEachBroker(`an alarm about ${what}`, { brokers: ["rabbit"], server: {} }, async (stage) => {
    const ctl = (args: readonly string[]) => stage.server.run("rabbitmqctl", ...args);
    const app = await stage.app();
    await Promise.all([
      ...BACKLOG.map((n) => app.send(command, { n })),
      app.send(command, { n: RETRIED, acts: ["throw", "handle"] }),
      app.send(command, { n: FAILING, acts: ["refuse"] }),
    ]);
    await ctl(on);
    const commands = new Sendings((n) => app.send(command, { n }));
    const events = new Sendings((n) => app.publish(event, { n }));
    for (const n of DURING) {
      for (const sendings of [commands, events]) {
        sendings.begin(n);
        await sendings.over();
        expect(sendings.errors.at(-1)).toMatchObject({
          code: "UNAVAILABLE",
          message: expect.stringMatching(new RegExp(`${what}.*alarm|alarm.*${what}|low on ${what}`)),
        });
        expect(sendings.lastMs).toBeLessThan(n === DURING[0] ? FIRST_MS : NEXT_MS);
      }
    }
    // Begun while it lasts, and drains what was there.
    const worker = await stage.actor();
    await vi.waitFor(() => expect(distinct(worker.handled)).toEqual(BACKLOG), { timeout: BACK_MS });
    await ctl(off);
    await vi.waitFor(() => app.send(command, { n: AFTER }), { timeout: BACK_MS, interval: 200 });
    await app.publish(event, { n: AFTER });
    const dead = async () => (await app.deadLetters.list(command.queue)).items;
    await vi.waitFor(
      async () => {
        expect(worker.handled).toEqual(expect.arrayContaining([...BACKLOG, RETRIED, AFTER]));
        expect(await dead()).toHaveLength(1);
      },
      { timeout: BACK_MS, interval: 200 },
    );
    expect(
      commands.refused.filter((n) => worker.handled.includes(n)),
      "handled, though it was refused",
    ).toEqual([]);
  });
}
