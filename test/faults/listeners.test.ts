import type { App } from "@intermodal/core";
import { describe, expect, test, vi } from "vitest";
import { type Actor, distinct } from "./actor-process.ts";
import { appAt } from "./apps.ts";
import { event, listening, numbers } from "./contracts.ts";
import { onEachBroker } from "./each-broker.ts";

const EVENTS = 100;
const events = numbers(EVENTS);

async function publishAll(app: App): Promise<void> {
  await Promise.all(events.map((n) => app.publish(event, { n })));
}

onEachBroker("two listeners in two processes get all of the events each", {}, async (stage) => {
  const listeners = await Promise.all(["left", "right"].map((listener) => stage.actor({ listener })));
  await publishAll(await stage.app());
  await vi.waitFor(() => expect(listeners.map(({ handled }) => distinct(handled))).toEqual([events, events]), {
    timeout: 10_000,
  });
  expect(listeners.map(({ handled }) => handled.length)).toEqual([EVENTS, EVENTS]);
});

onEachBroker("two services whose listeners have one name get all of the events each", {}, async (stage) => {
  const names = ["library", "archive"];
  const listeners = await Promise.all(names.map((name) => stage.actor({ name, listener: "audit" })));
  await publishAll(await stage.app());
  await vi.waitFor(() => expect(listeners.map(({ handled }) => distinct(handled))).toEqual([events, events]), {
    timeout: 10_000,
  });
});

onEachBroker("two processes of one listener share the events", {}, async (stage) => {
  const replicas: readonly Actor[] = await Promise.all([
    stage.actor({ listener: "audit" }),
    stage.actor({ listener: "audit" }),
  ]);
  await publishAll(await stage.app());
  const handled = () => replicas.flatMap((replica) => replica.handled).sort((a, b) => a - b);
  await vi.waitFor(() => expect(handled()).toEqual(events), { timeout: 10_000 });
  expect(Math.min(...replicas.map((replica) => replica.handled.length))).toBeGreaterThan(0);
});

describe("memory", () => {
  /** Two apps of one process: nothing of `memory:` is seen by another. */
  async function listen(server: string, names: readonly [name: string, listener: string][]): Promise<number[][]> {
    const place = { url: `memory:${server}`, namespace: "faults" };
    const apps = await Promise.all(names.map(([name]) => appAt({ ...place, name })));
    const handled = names.map((): number[] => []);
    for (const [index, [, listener]] of names.entries())
      apps[index]?.on(event, { listener, ...listening }, ({ data }) => handled[index]?.push(data.n));
    await Promise.all(apps.map((app) => app.start()));
    const publisher = await appAt(place);
    await publishAll(publisher);
    await vi.waitFor(() => expect(new Set(handled.flat()).size).toBe(EVENTS));
    await Promise.all([publisher, ...apps].map((app) => app.stop()));
    return handled;
  }

  test("two listeners get all of the events each", async () => {
    const handled = await listen("apart", [
      ["library", "left"],
      ["library", "right"],
    ]);
    expect(handled.map(distinct)).toEqual([events, events]);
  });

  test("two apps of one listener share the events", async () => {
    const handled = await listen("shared", [
      ["library", "audit"],
      ["library", "audit"],
    ]);
    expect(handled.flat().sort((a, b) => a - b)).toEqual(events);
    expect(Math.min(...handled.map((part) => part.length))).toBeGreaterThan(0);
  });
});
