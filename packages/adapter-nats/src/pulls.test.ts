import { VirtualClock } from "@intermodal/core/testing";
import type { Msg, MsgCallback, NatsConnection, Subscription } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { Pulls } from "./pulls.ts";

const CHECK_MS = 1_000;
const HEARTBEAT_MS = 2_500;

/** Pulls that are checked every second, and a server that is heard when the test says so. */
function stage(free: number) {
  const clock = new VirtualClock();
  const gone: string[] = [];
  const asked: number[] = [];
  let callback: MsgCallback<Msg> = () => {};
  const client = {
    subscribe: (_: string, options: { callback: MsgCallback<Msg> }) => {
      callback = options.callback;
      return { unsubscribe() {} } as unknown as Subscription;
    },
    publish: (_: string, request: string) => void asked.push(JSON.parse(request).batch),
  } as unknown as NatsConnection;
  const slots = { free };
  const pulls = new Pulls({
    subject: "next",
    inboxPrefix: undefined,
    clock,
    lot: 1,
    free: () => slots.free,
    onMessage: () => slots.free--,
    onGone: (why) => gone.push(why),
  });
  pulls.open(client);
  const check = () => {
    pulls.check();
    clock.schedule(CHECK_MS, check);
  };
  clock.schedule(CHECK_MS, check);
  const hear = (message: object) => void callback(null, { data: new Uint8Array(), ...message } as Msg);
  return {
    clock,
    gone,
    asked,
    pulls,
    slots,
    deliver: () => hear({ reply: "ack" }),
    heartbeat: () => hear({ headers: { code: 100 } }),
  };
}

test("a server that says nothing any more has forgotten what it was asked for", async () => {
  const { clock, gone } = stage(1);
  await clock.advance(2 * HEARTBEAT_MS);
  expect(gone).toEqual([]);
  await clock.advance(2 * HEARTBEAT_MS);
  expect(gone).toHaveLength(1);
});

test("nothing is to be heard while nothing was asked for", async () => {
  const { clock, gone, asked, pulls, slots, deliver, heartbeat } = stage(1);
  deliver();
  await clock.advance(20_000);
  slots.free++;
  pulls.pull();
  await clock.advance(HEARTBEAT_MS);
  heartbeat();
  await clock.advance(2 * HEARTBEAT_MS);
  expect([gone, asked]).toEqual([[], [1, 1]]);
});

test("what came while the process was blocked is read before the server is given up", async () => {
  const { clock, gone, heartbeat } = stage(1);
  await clock.advance(HEARTBEAT_MS);
  heartbeat();
  // No check runs meanwhile; afterwards timers come first.
  const now = clock.now.bind(clock);
  clock.now = () => now() + 20_000;
  await clock.advance(CHECK_MS);
  heartbeat();
  await clock.advance(2 * HEARTBEAT_MS);
  expect(gone).toEqual([]);
});

test("a clock that was set back does not hide silence", async () => {
  const { clock, gone, heartbeat } = stage(1);
  heartbeat();
  clock.setBack(3_600_000);
  await clock.advance(4 * HEARTBEAT_MS);
  expect(gone).toHaveLength(1);
});
