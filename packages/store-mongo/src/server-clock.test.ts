import { type Clock, systemClock } from "@intermodal/core/ports";
import { expect, it } from "vitest";
import { ServerClock } from "./server-clock.ts";

/** A clock that is set. */
class FakeClock implements Clock {
  time = 1_000_000;
  readonly schedule = systemClock.schedule;

  now(): number {
    return this.time;
  }
}

it("tells the server's time from its answers: in the middle of when it was asked and answered", () => {
  const clock = new FakeClock();
  const server = new ServerClock(clock);
  expect(server.now()).toBeUndefined();
  clock.time += 100;
  server.learn(5_000, clock.time - 100);
  expect(server.now()).toBe(5_050);
  clock.time += 9_000;
  expect(server.now()).toBe(14_050);
});

it("is not to be trusted long after an answer, nor when our own clock was set back", () => {
  const clock = new FakeClock();
  const server = new ServerClock(clock);
  server.learn(5_000, clock.time);
  clock.time += 10_001;
  expect(server.now()).toBeUndefined();
  clock.time -= 10_002;
  expect(server.now()).toBeUndefined();
});

it("is not led astray by an answer that took long, unless there has been no other for a while", () => {
  const clock = new FakeClock();
  const server = new ServerClock(clock);
  server.learn(5_000, clock.time - 2);
  clock.time += 1_000;
  server.learn(6_000, clock.time - 900);
  expect(server.now()).toBe(6_001);
  clock.time += 5_000;
  server.learn(11_000, clock.time - 900);
  expect(server.now()).toBe(11_450);
});
