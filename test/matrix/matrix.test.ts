import { afterAll, describe, expect, test } from "vitest";
import { skipWithout } from "../servers/skip-without.ts";
import { type RunningCarrier, startCarrier, whyNo } from "./carriers.ts";
import { BUSES, type BusName, STORES, type StoreName } from "./names.ts";
import { runScenario } from "./scenario.ts";

const running = new Map<BusName | StoreName, Promise<RunningCarrier>>();

function carrier(name: BusName | StoreName): Promise<RunningCarrier> {
  const found = running.get(name) ?? startCarrier(name);
  running.set(name, found);
  return found;
}

afterAll(async () => {
  for (const one of running.values()) await (await one).close();
});

const EXPECTED = {
  result: ["Typee, chapter 1", "Typee, chapter 2", "Typee, chapter 3"],
  status: "COMPLETED",
  children: { total: 5, open: 0, completed: 5, failed: 0 },
  gapless: true,
  sameAgain: true,
  told: [
    ["index", { title: "Typee", summaries: 3 }],
    ["newsletter", { title: "Typee", summaries: 3 }],
  ],
  dead: [["plates", "book.illustrate", 2, "no paint"]],
  deadAfterReplay: 0,
  afterReplay: { status: "COMPLETED", result: "Typee in colours" },
};

describe.each(BUSES)("commands and events over %s", (bus) => {
  test.for(STORES)("state and streams in %s", { timeout: 120_000 }, async (store, t) => {
    skipWithout((await whyNo(bus)) ?? (await whyNo(store)), t);
    const [{ url: busUrl }, { url: storeUrl }] = await Promise.all([carrier(bus), carrier(store)]);
    const urls = { commands: busUrl, events: busUrl, state: storeUrl, streams: storeUrl };
    const { entries, starts, ...outcome } = await runScenario(urls, `matrix-${bus}-${store}`);
    expect(outcome).toEqual(EXPECTED);
    expect(entries).toMatchObject({ "lifecycle.started": 1, "lifecycle.completed": 1, summary: 4 });
    // What failed at first ran twice, what was finished never again, however often the workflow between them did.
    expect(starts).toMatchObject({ split: 2, "summarise 1": 1, "summarise 2": 2, "summarise 3": 1, illustrate: 3 });
  });
});
