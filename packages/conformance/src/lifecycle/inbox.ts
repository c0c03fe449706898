import { type App, fixed } from "@intermodal/core";
import { sleep } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import { happened } from "./contracts.ts";
import { type FullAdapter, lifecycleCase, RECOVERY_MS, type World } from "./world.ts";

const GUARANTEES = ["LC-20"];

const LISTENER = { listener: "numbers", retry: { maxAttempts: 4, backoff: fixed(100) } } as const;

/** Another client of the server, where it has an inbox. */
async function openWithInbox(world: World): Promise<FullAdapter> {
  const adapter = await world.open();
  if (adapter.inbox === undefined) world.t.skip(`${adapter.name} has no inbox`);
  return adapter;
}

/** Publishes as a program from before does. */
async function publishPlain({ eventBus }: FullAdapter, transportId: string, eventId: string | undefined) {
  const dictionary = { event_type: "happened", event_version: "1.0", event_id: eventId, n: 1 };
  await eventBus.publish([
    { id: transportId, type: "happened", body: new TextEncoder().encode(JSON.stringify(dictionary)) },
  ]);
}

async function assertHandled(t: CaseContext, handled: readonly string[], expected: readonly string[], app: App) {
  const quiet = async () => {
    const { pending, inFlight, delayed } = await app.inspectListener("numbers");
    return handled.length >= expected.length && pending + (inFlight ?? 0) + (delayed ?? 0) === 0;
  };
  await t.until("the listener has nothing left", quiet, { withinMs: RECOVERY_MS });
  equal(handled, expected, "what was handled");
}

export const inboxCases: readonly ConformanceCase[] = [
  lifecycleCase({
    name: "inbox-redelivered",
    guarantees: GUARANTEES,
    title: "an event whose completion was recorded is not handled again when its acknowledgement is lost",
    needs: ["kill"],
    async run(world, t) {
      const { eventBus } = await openWithInbox(world);
      const handled: string[] = [];
      const serve = (app: App) => app.on(happened, LISTENER, ({ id }) => handled.push(id));
      const first = await world.worker(serve);
      first.switched.around = async (call, run) => {
        if (call.name === "eventBus.ack") await first.kill();
        return run();
      };
      const { app } = await world.process();
      await app.publish(happened, { n: 1 }, { id: "event" });
      await t.until("the first worker dies", () => first.isDead, { withinMs: RECOVERY_MS });
      let delivered = 0;
      const second = await world.process({ serve });
      second.switched.around = (call, run) => {
        if (call.name === "eventBus.ack") delivered++;
        return run();
      };
      await second.app.start();
      await t.until("it is delivered again", () => delivered === 1, { withinMs: RECOVERY_MS });
      await assertHandled(t, handled, ["event"], second.app);
      equal((await eventBus.inspect({ service: "conformance", listener: "numbers" })).dead, 0, "dead letters");
    },
  }),

  lifecycleCase({
    name: "inbox-published-twice",
    guarantees: GUARANTEES,
    title: "two messages with one event id are handled once by each listener; without an id each is handled",
    async run(world, t) {
      const adapter = await openWithInbox(world);
      const handled: string[] = [];
      const others: string[] = [];
      const { app } = await world.worker((each) => {
        each.on(happened, LISTENER, ({ id }) => handled.push(id));
        each.on(happened, { listener: "others" }, ({ id }) => others.push(id));
      });
      await publishPlain(adapter, "message-1", "event");
      await t.until("the first is handled", () => handled.length === 1 && others.length === 1, {
        withinMs: RECOVERY_MS,
      });
      await publishPlain(adapter, "message-2", "event");
      await publishPlain(adapter, "message-3", undefined);
      await publishPlain(adapter, "message-4", undefined);
      await assertHandled(t, handled, ["event", "", ""], app);
      await t.until("the other listener has handled them", () => others.length === 3, { withinMs: RECOVERY_MS });
    },
  }),

  lifecycleCase({
    name: "inbox-released",
    guarantees: GUARANTEES,
    title: "an event whose handling failed is handled again",
    async run(world, t) {
      await openWithInbox(world);
      const handled: string[] = [];
      const { app } = await world.worker((each) =>
        each.on(happened, LISTENER, (_, ctx) => {
          handled.push(`attempt ${ctx.attempt}`);
          if (ctx.attempt < 3) throw new Error("on purpose");
        }),
      );
      const publisher = await world.process();
      await publisher.app.publish(happened, { n: 1 }, { id: "event" });
      await assertHandled(t, handled, ["attempt 1", "attempt 2", "attempt 3"], app);
    },
  }),

  lifecycleCase({
    name: "inbox-copies",
    guarantees: GUARANTEES,
    title: "copies of an event are not handled at once, in one process or two, however long its handler takes",
    async run(world, t) {
      const adapter = await openWithInbox(world);
      const { leaseMs } = adapter.eventBus.capabilities;
      const handled: string[] = [];
      let [running, most] = [0, 0];
      const serve = (app: App) =>
        app.on(happened, LISTENER, async ({ id }) => {
          most = Math.max(most, ++running);
          await sleep(t.clock, 1.5 * leaseMs);
          running--;
          handled.push(id);
        });
      const [{ app }] = [await world.worker(serve), await world.worker(serve)];
      for (const n of [1, 2, 3, 4, 5, 6]) await publishPlain(adapter, `message-${n}`, "event");
      await assertHandled(t, handled, ["event"], app);
      equal(most, 1, "handlers at it at once");
    },
  }),
];
