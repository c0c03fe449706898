import {
  IntermodalError,
  isIntermodalError,
  type ScheduleRecord,
  type ScheduleStore,
  type ScheduleWrite,
} from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import { MemoryScheduleStore } from "../../packages/core/src/memory/schedule-store.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";
import { override, perServer, type Sabotage } from "./sabotage.ts";

interface Surroundings {
  readonly server: MemoryServer;
  readonly adapter: MemoryAdapter;
  /** Shared by all clients of a server. */
  readonly shared: Map<string, unknown>;
}

type Break = readonly [
  name: string,
  breaks: readonly string[],
  change: (store: ScheduleStore, surroundings: Surroundings) => Partial<ScheduleStore>,
];

/** The cases that must fail are named without their prefix, unless they are about the life of tasks. */
function sabotagesOf(breaks: readonly Break[]): readonly Sabotage[] {
  return breaks.map(([name, caseNames, change]) => {
    const sharedBy = perServer(() => new Map<string, unknown>());
    return {
      name: `schedule-store ${name}`,
      subject: "scheduleStore",
      breaks: caseNames.map((caseName) => (caseName.includes("/") ? caseName : `schedule-store/${caseName}`)),
      wrap: (adapter, server) => {
        const store = adapter.scheduleStore;
        const changed = override<ScheduleStore>(store, change(store, { server, adapter, shared: sharedBy(server) }));
        return override(adapter, { scheduleStore: changed as typeof store });
      },
    };
  });
}

/** Every write, changed on what there is. */
async function changed(
  store: ScheduleStore,
  writes: readonly ScheduleWrite[],
  change: (write: ScheduleWrite, current: ScheduleRecord | undefined) => ScheduleWrite,
): Promise<readonly ScheduleWrite[]> {
  const { schedules } = await store.get(writes.map(({ name }) => name));
  return writes.map((write, at) => change(write, schedules[at]));
}

/** Every method, with the error that it rejects with changed. */
function withErrors(store: ScheduleStore, change: (error: unknown) => unknown): Partial<ScheduleStore> {
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw change(error);
    }
  };
  return {
    get: (names) => call(() => store.get(names)),
    put: (writes) => call(() => store.put(writes)),
    remove: (names) => call(() => store.remove(names)),
    list: (options) => call(() => store.list(options)),
    due: (options) => call(() => store.due(options)),
  };
}

/** One code of errors told as another. */
function disguised(code: "CLOSED" | "UNAVAILABLE", as: "CLOSED" | "UNAVAILABLE") {
  return (error: unknown) => (isIntermodalError(error, code) ? new IntermodalError(as, "disguised") : error);
}

const WRITES: readonly Break[] = [
  [
    "writes on any revision",
    ["put", "put-repeated", "remove-stale", "batches"],
    (store) => ({
      put: async (writes) =>
        store.put(await changed(store, writes, (write, current) => ({ ...write, expected: current?.revision }))),
    }),
  ],
  [
    "writes on what was removed",
    ["put", "remove-stale"],
    (store) => ({
      put: async (writes) =>
        store.put(
          await changed(store, writes, (write, current) =>
            current === undefined ? { ...write, expected: undefined } : write,
          ),
        ),
    }),
  ],
  [
    "takes every other write of a race for written",
    ["put-race", "put"],
    (store) => ({
      put: async (writes) =>
        (await store.put(writes)).map((outcome, at) =>
          outcome.schedule === undefined ? outcome : { written: true, schedule: { ...outcome.schedule, fires: at } },
        ),
    }),
  ],
  [
    "refuses a write that it has written",
    ["put-repeated", "put-lost"],
    (store, { shared }) => ({
      put: async (writes) => {
        const repeated = writes.map(({ schedule: { revision } }) => shared.has(revision));
        for (const { schedule } of writes) shared.set(schedule.revision, true);
        const outcomes = await store.put(writes);
        return outcomes.map((outcome, at) => (repeated[at] ? { written: false, schedule: outcome.schedule } : outcome));
      },
    }),
  ],
  [
    "writes a repeated write again",
    ["put-repeated"],
    (store) => ({
      put: async (writes) =>
        store.put(
          await changed(store, writes, (write, current) =>
            current?.revision === write.schedule.revision
              ? {
                  ...write,
                  expected: current.revision,
                  schedule: { ...write.schedule, revision: `${current.revision}x` },
                }
              : write,
          ),
        ),
    }),
  ],
  ["answers in the order of names", ["batches"], (store) => ({ get: (names) => store.get(names.toSorted()) })],
  [
    "stamps no later write",
    ["times"],
    (store) => ({
      put: async (writes) =>
        (await store.put(writes)).map((outcome) =>
          outcome.written
            ? { written: true, schedule: { ...outcome.schedule, updatedAt: outcome.schedule.createdAt } }
            : outcome,
        ),
    }),
  ],
  [
    "keeps what it was given itself",
    ["snapshots"],
    (store, { shared }) => ({
      put: async (writes) => {
        for (const { schedule } of writes) shared.set(schedule.revision, schedule.definition);
        return store.put(writes);
      },
      get: async (names) => {
        const { schedules, ...reading } = await store.get(names);
        const given = (schedule: ScheduleRecord) => shared.get(schedule.revision) as ScheduleRecord["definition"];
        return {
          ...reading,
          schedules: schedules.map((schedule) => schedule && { ...schedule, definition: given(schedule) }),
        };
      },
    }),
  ],
  [
    "removes the first of a batch only",
    ["remove"],
    (store) => ({ remove: async (names) => store.remove(names.slice(0, 1)) }),
  ],
];

const LOOKS: readonly Break[] = [
  [
    "finds nothing due",
    [
      "due",
      "due-follows",
      "due-in-time",
      "due-pages",
      "lifecycle/schedule-fires-once",
      "lifecycle/schedule-regular",
      "lifecycle/schedule-missed",
    ],
    (store) => ({ due: async (options) => ({ ...(await store.due(options)), items: [] }) }),
  ],
  [
    "finds paused and stopped ones due",
    ["due", "due-follows"],
    (store) => ({
      due: async (options) => {
        const page = await store.due(options);
        const held = (await store.list()).items.filter(
          ({ state, nextAt }) => state !== "running" && nextAt !== undefined && nextAt <= page.now,
        );
        return { ...page, items: [...page.items, ...held] };
      },
    }),
  ],
  [
    "finds due what comes within a second",
    ["due-in-time"],
    (store) => ({
      due: async (options) => {
        const page = await store.due(options);
        const soon = (await store.list()).items.filter(
          ({ nextAt = 0 }) => nextAt > page.now && nextAt < page.now + 1_000,
        );
        return { ...page, items: [...page.items, ...soon] };
      },
    }),
  ],
  [
    "takes away what it has told once",
    ["due", "due-in-time"],
    (store, { shared }) => ({
      due: async (options) => {
        const page = await store.due(options);
        const items = page.items.filter(({ revision }) => !shared.has(revision));
        for (const { revision } of items) shared.set(revision, true);
        return { ...page, items };
      },
    }),
  ],
  [
    "does not say when the next one falls due",
    ["due", "due-follows", "due-in-time"],
    (store) => ({ due: async (options) => ({ ...(await store.due(options)), nextAt: undefined }) }),
  ],
  [
    "tells each client a due time of its own",
    ["due", "lifecycle/schedule-fires-once"],
    (store, { shared }) => {
      shared.set("clients", Number(shared.get("clients") ?? 0) + 1);
      const shiftMs = Number(shared.get("clients"));
      return {
        due: async (options) => {
          const page = await store.due(options);
          return { ...page, items: page.items.map((item) => ({ ...item, nextAt: (item.nextAt ?? 0) - shiftMs })) };
        },
      };
    },
  ],
  [
    "takes what was due for due just now",
    ["due", "lifecycle/schedule-missed"],
    (store) => ({
      due: async (options) => {
        const page = await store.due(options);
        return { ...page, items: page.items.map((item) => ({ ...item, nextAt: page.now - 1 })) };
      },
    }),
  ],
  [
    "hides what is past the first page of list",
    ["list", "list-pages", "page-limits", "hostile-names"],
    (store) => ({ list: async (options) => ({ items: (await store.list(options)).items }) }),
  ],
  [
    "hides what is past the first page of due",
    ["due", "due-pages", "page-limits", "hostile-names"],
    (store) => ({
      due: async (options) => {
        const { items, now, nextAt } = await store.due(options);
        return { items, now, nextAt };
      },
    }),
  ],
  [
    "tells places in lists by number",
    ["list-pages", "due-pages"],
    (store) => {
      const from = <Item>(
        items: readonly Item[],
        { cursor, limit = 100 }: { cursor?: string | undefined; limit?: number | undefined },
      ) => {
        const start = Number(cursor ?? 0);
        if (!Number.isSafeInteger(start)) throw new IntermodalError("CURSOR_INVALID", "no number");
        const page = items.slice(start, start + limit);
        return items.length > start + limit ? { items: page, next: String(start + limit) } : { items: page };
      };
      return {
        list: async (options = {}) => from((await store.list({ limit: 10_000 })).items, options),
        due: async (options = {}) => {
          const { items, now, nextAt } = await store.due({ limit: 10_000 });
          return { ...from(items, options), now, nextAt };
        },
      };
    },
  ],
  [
    "takes any text for a cursor",
    ["page-limits"],
    (store) => ({
      list: (options) =>
        store.list(options).catch((error: unknown) => {
          if (isIntermodalError(error, "CURSOR_INVALID")) return store.list();
          throw error;
        }),
    }),
  ],
];

const VALUES: readonly Break[] = [
  [
    "takes names that look alike for one",
    ["hostile-names"],
    (store) => ({
      get: async (names) => store.get(names.map((name) => name.trim())),
      put: async (writes) => store.put(writes.map((write) => ({ ...write, name: write.name.trim() }))),
    }),
  ],
  [
    "keeps no null",
    ["hostile-definitions"],
    (store) => ({
      put: async (writes) =>
        store.put(
          writes.map((write) => {
            const { schedule } = write;
            const { definition } = schedule;
            const input = definition.input === null ? "" : definition.input;
            return { ...write, schedule: { ...schedule, definition: { ...definition, input } } };
          }),
        ),
    }),
  ],
  [
    "keeps definitions of any length",
    ["definition-limit"],
    (store) => ({ capabilities: { maxDefinitionBytes: store.capabilities.maxDefinitionBytes / 2 } }),
  ],
  [
    "is one for all namespaces",
    ["namespaces"],
    (_, { server, adapter }) => {
      const one = new MemoryScheduleStore(server.store, adapter.connection, "one");
      return {
        get: (names) => one.get(names),
        put: (writes) => one.put(writes),
        remove: (names) => one.remove(names),
        list: (options) => one.list(options),
        due: (options) => one.due(options),
      };
    },
  ],
];

const OUTAGES: readonly Break[] = [
  [
    "says that it is away when it is closed",
    ["closed"],
    (store) => withErrors(store, disguised("CLOSED", "UNAVAILABLE")),
  ],
  [
    "says that it is closed when it is away",
    ["unreachable", "restart"],
    (store) => withErrors(store, disguised("UNAVAILABLE", "CLOSED")),
  ],
  [
    "forgets when it is stopped",
    ["restart"],
    (store, { adapter, shared }) => {
      adapter.connection.onLost(() => shared.set("restarted", true));
      return {
        get: async (names) => {
          const reading = await store.get(names);
          return shared.has("restarted") ? { ...reading, schedules: names.map(() => undefined) } : reading;
        },
      };
    },
  ],
];

/** Schedule stores that are right in everything but one promise. */
export const scheduleStoreSabotages: readonly Sabotage[] = sabotagesOf([...WRITES, ...LOOKS, ...VALUES, ...OUTAGES]);
