import { assert, equal, rejects } from "../assert.ts";
import { type Client, draft, namesOf, scheduleCase } from "./client.ts";

const COUNT = 43;

/** Writes schedules that are due, several of them since the same time. */
async function fill(client: Client, now: number): Promise<void> {
  await client.port.put(
    Array.from({ length: COUNT }, (_, n) => ({
      name: `s${n}`,
      expected: undefined,
      schedule: draft({ nextAt: now - 100_000 + Math.floor(n / 6) }),
    })),
  );
}

/** Between two pages: others come before and behind, some move on, are paused or removed, the rest is written too. */
async function disturb(client: Client, page: number, now: number): Promise<void> {
  await client.write(`new${page}`, { nextAt: now - 1 });
  await client.write(`a${page}`, { nextAt: now - 200_000 - page });
  for (let n = page; n < COUNT; n += 4) {
    const schedule = await client.get(`s${n}`);
    if (schedule === undefined) continue;
    const { nextAt } = schedule;
    if (n % 3 !== 0) await client.write(schedule.name, { nextAt, fires: 1 }, schedule);
    else if (n % 9 === 0) await client.port.remove([schedule.name]);
    else
      await client.write(
        schedule.name,
        n % 2 === 0 ? { state: "paused", nextAt } : { nextAt: now + 3_600_000 },
        schedule,
      );
  }
}

function assertEachOnce(seen: readonly string[], stays: (n: number) => boolean): void {
  equal(new Set(seen).size, seen.length, "no schedule comes twice");
  const missing = Array.from({ length: COUNT }, (_, n) => n).filter((n) => stays(n) && !seen.includes(`s${n}`));
  equal(missing, [], "schedules that were there all along and did not come");
}

export const pageCases = [
  scheduleCase("list", ["SC-4"], "list gives every schedule once, whole, whatever its state", async (_t, client) => {
    equal(await client.all(), [], "an empty store");
    await client.write("running", { nextAt: 1 });
    await client.write("paused", { state: "paused", nextAt: 1 });
    await client.write("stopped", { state: "stopped" });
    for (const limit of [undefined, 1, 2, 3]) {
      const all = await client.all(limit);
      equal([...namesOf(all)].sort(), ["paused", "running", "stopped"], `in pages of ${limit}`);
      equal(all, (await client.port.get(namesOf(all))).schedules, "whole schedules");
    }
  }),

  scheduleCase(
    "list-pages",
    ["SC-4"],
    "pages of list neither repeat nor hide a schedule while others are written",
    async (_t, client) => {
      const now = await client.now();
      await fill(client, now);
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; ; page++) {
        const { items, next } = await client.port.list({ limit: 5, cursor });
        seen.push(...namesOf(items));
        if (next === undefined) break;
        cursor = next;
        await disturb(client, page, now);
      }
      assertEachOnce(seen, (n) => n % 9 !== 0);
    },
  ),

  scheduleCase(
    "due-pages",
    ["SC-4"],
    "pages of due neither repeat nor hide a schedule while others are written",
    async (_t, client) => {
      const now = await client.now();
      await fill(client, now);
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; ; page++) {
        const { items, next } = await client.port.due({ limit: 5, cursor });
        seen.push(...namesOf(items));
        if (next === undefined) break;
        cursor = next;
        if (page < 8) await disturb(client, page, now);
      }
      assertEachOnce(seen, (n) => n % 3 !== 0);
      const order = seen.filter((name) => name.startsWith("s")).map((name) => Math.floor(Number(name.slice(1)) / 6));
      equal(
        order,
        order.toSorted((a, b) => a - b),
        "the longest waiting first",
      );
    },
  ),

  scheduleCase(
    "page-limits",
    ["SC-4"],
    "a page holds 100 schedules unless asked otherwise; a foreign cursor is refused",
    async (_t, client) => {
      const nextAt = (await client.now()) - 1;
      await client.port.put(
        Array.from({ length: 120 }, (_, n) => ({ name: `s${n}`, expected: undefined, schedule: draft({ nextAt }) })),
      );
      for (const what of ["list", "due"] as const) {
        const first = await client.port[what]();
        equal([first.items.length, first.next !== undefined], [100, true], `the first page of ${what}`);
        const second = await client.port[what]({ cursor: first.next });
        equal([second.items.length, second.next], [20, undefined], `the last page of ${what}`);
        equal(new Set(namesOf([...first.items, ...second.items])).size, 120, "different schedules");
        for (const cursor of ["nonsense", "\0", '{"$gt":""}']) {
          await rejects(`${what} with the cursor ${JSON.stringify(cursor)}`, "CURSOR_INVALID", () =>
            client.port[what]({ cursor }),
          );
        }
        assert(
          (await client.port[what]({ limit: 120 })).next === undefined,
          `a page of ${what} that holds all is the last`,
        );
      }
    },
  ),
];
