import { IntermodalError, type NewRunEvent } from "@intermodal/core/ports";
import { VirtualClock } from "@intermodal/core/testing";
import { expect, it } from "vitest";
import type { Session } from "./session.ts";
import { StreamAppender } from "./stream-appender.ts";
import type { Chunk } from "./stream-chunk.ts";
import type { StreamLog } from "./stream-log.ts";

const event = (n: number): NewRunEvent => ({ writer: "w", n, timestamp: 0, source: "t", event: "e", data: n });

/** An appender over chunks in memory; each method of the log can be replaced. */
function open(replaced: Partial<StreamLog> = {}) {
  const clock = new VirtualClock();
  const chunks: Chunk[] = [];
  const held: (readonly string[])[] = [];
  const log: Partial<StreamLog> = {
    last: async () => chunks.at(-1),
    headsFrom: async (_what: string, _key: string, place: number) => chunks.filter(({ from }) => from >= place),
    insert: async (_what: string, added: readonly Chunk[]) => {
      chunks.push(...added);
      return added.map(() => true);
    },
    highestOf: async () => 0,
    awaitHeld: async (_what: string, ids: readonly string[]) => {
      held.push(ids);
    },
    ...replaced,
  };
  const session = { clock, settings: { streamSafetyTtlMs: 60_000 }, serverNow: async () => clock.now() };
  const make = () => new StreamAppender(session as unknown as Session, log as StreamLog, async () => {});
  return { clock, chunks, held, log, session, make, appender: make() };
}

const put = (appender: StreamAppender, n: number, ttlMs?: number) =>
  appender.put([{ streamId: "s", events: [event(n)], ttlMs }]);

const outage = (unknown: boolean) => new IntermodalError("UNAVAILABLE", "away", { unknown });

it.each(["UNAVAILABLE", "CLOSED"] as const)(
  "what is stored before the store fails with %s may be there",
  async (code) => {
    const { clock, log, chunks, appender } = open();
    const { insert } = log;
    log.insert = async (...call) => {
      // So slow that it is looked at again.
      await clock.advance(5_000);
      return (insert as StreamLog["insert"])(...call);
    };
    log.headsFrom = () => Promise.reject(new IntermodalError(code, "away"));
    await expect(put(appender, 1)).rejects.toMatchObject({ code, unknown: true, message: "away" });
    expect(chunks).toHaveLength(1);
  },
);

it("what fails before anything was sent is not there", async () => {
  const { appender } = open({ last: () => Promise.reject(outage(false)) });
  await expect(put(appender, 1)).rejects.toMatchObject({ code: "UNAVAILABLE", unknown: false });
});

it("when no stream can be looked at, what waits is told at once", async () => {
  let asked = 0;
  const { appender, clock } = open({
    last: async () => {
      asked++;
      await new Promise<void>((done) => clock.schedule(10_000, done));
      throw outage(false);
    },
  });
  const items = Array.from({ length: 5_000 }, (_, at) => ({ streamId: `s${at}`, events: [event(1)] }));
  const answer = appender.put(items).catch((error: unknown) => error);
  await clock.advance(10_000);
  expect(await answer).toMatchObject({ code: "UNAVAILABLE" });
  // Two passes were under way.
  expect(asked).toBe(1_000);
});

it("that a stream has ended is told once a majority holds its end", async () => {
  const { appender, make, chunks, held, log } = open();
  await put(appender, 1, 1_000);
  expect(held, "what it has stored itself").toEqual([]);
  const other = make();
  log.highestOf = async () => 1;
  log.holding = async () => chunks;
  await expect(put(other, 2)).rejects.toMatchObject({ code: "STREAM_ENDED" });
  expect(held).toEqual([[chunks[0]?._id]]);
  log.awaitHeld = () => Promise.reject(outage(true));
  await expect(put(make(), 2), "refused").rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(put(make(), 2, 1_000), "ended again").rejects.toMatchObject({ code: "UNAVAILABLE" });
});

it("a chunk has the time of the moment at which it is sent, however long was looked for what it follows", async () => {
  const { appender, clock, chunks, log } = open();
  const begun = clock.now();
  log.last = async () => {
    await clock.advance(5_000);
    return undefined;
  };
  log.headsFrom = async () => [];
  await put(appender, 1);
  const [chunk] = chunks;
  expect(chunk?.appended_at.getTime()).toBe(begun + 5_000);
  expect(chunk?.expires_at.getTime()).toBe(begun + 65_000);
});
