import {
  BatchError,
  IntermodalError,
  isIntermodalError,
  type JsonValue,
  type TaskQuery,
  type TaskRecord,
  type TaskStateStore,
} from "@intermodal/core/ports";
import type { Break } from "./store.ts";

/** As a codec does that does not know an empty list from an empty object. */
function withoutEmptyLists(value: JsonValue): JsonValue {
  const text = JSON.stringify(value).replaceAll("[]", "{}");
  return JSON.parse(text) as JsonValue;
}

async function everything(store: TaskStateStore, query: TaskQuery): Promise<readonly TaskRecord[]> {
  const found: TaskRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ ...query, limit: 1_000, cursor });
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

/** Broken promises about what is kept, found and let go. */
export const RECORDS: readonly Break[] = [
  [
    "lists everybody's tasks to everybody",
    ["list-filters", "hostile-ids"],
    (store) => ({ list: (query) => store.list({ ...query, userId: undefined }) }),
  ],
  [
    "counts pages by records passed",
    ["list-pages"],
    (store) => ({
      list: async ({ limit = 100, cursor, ...query }) => {
        const passed = Number(cursor ?? 0);
        if (Number.isNaN(passed)) throw new IntermodalError("CURSOR_INVALID", "no number");
        const all = await everything(store, query);
        const next = passed + limit < all.length ? String(passed + limit) : undefined;
        return { items: all.slice(passed, passed + limit), next };
      },
    }),
  ],
  [
    "begins again at a cursor that it does not know",
    ["list-limits"],
    (store) => ({
      list: async (query) => {
        try {
          return await store.list(query);
        } catch (error) {
          if (!isIntermodalError(error, "CURSOR_INVALID")) throw error;
          return store.list({ ...query, cursor: undefined });
        }
      },
    }),
  ],
  [
    "does not tell great letters from small ones",
    ["hostile-ids"],
    (store) => ({
      create: (drafts) => store.create(drafts.map((draft) => ({ ...draft, id: draft.id.toLowerCase() }))),
      get: (ids) => store.get(ids.map((id) => id.toLowerCase())),
    }),
  ],
  [
    "takes a dot in a key for something else",
    ["hostile-keys"],
    (store) => ({
      reserve: (reservations) =>
        store.reserve(reservations.map((ask) => ({ ...ask, key: ask.key.replaceAll(".", "_") }))),
    }),
  ],
  [
    "makes objects of empty lists",
    ["hostile-payloads"],
    (store) => ({
      create: (drafts) => store.create(drafts.map((draft) => ({ ...draft, input: withoutEmptyLists(draft.input) }))),
    }),
  ],
  [
    "cuts long texts",
    ["payload-megabyte"],
    (store) => ({
      create: (drafts) =>
        store.create(
          drafts.map((draft) => ({
            ...draft,
            input: typeof draft.input === "string" ? draft.input.slice(0, 500_000) : draft.input,
          })),
        ),
    }),
  ],
  [
    "drops what is too long without a word",
    ["payload-limit"],
    (store) => ({
      create: async (drafts) => {
        try {
          return await store.create(drafts);
        } catch (error) {
          if (!isIntermodalError(error, "PAYLOAD_TOO_LARGE")) throw error;
          return store.create(drafts.map((draft) => ({ ...draft, input: null })));
        }
      },
    }),
  ],
  [
    "fails a whole batch for one payload that is too long",
    ["payload-in-batch"],
    (store) => ({
      create: async (drafts) => {
        try {
          return await store.create(drafts);
        } catch (error) {
          throw error instanceof BatchError ? error.cause : error;
        }
      },
    }),
  ],
  [
    "knows one namespace only",
    ["namespaces"],
    (store, { shared }) => {
      if (!shared.has("first")) shared.set("first", store);
      const first = shared.get("first") as TaskStateStore;
      return {
        create: (drafts) => first.create(drafts),
        get: (ids) => first.get(ids),
        list: (query) => first.list(query),
      };
    },
  ],
  [
    "hands out what it keeps",
    ["snapshots"],
    (store, { shared }) => {
      const kept = (record: TaskRecord): TaskRecord => {
        const key = `${record.id} ${record.version}`;
        if (!shared.has(key)) shared.set(key, record);
        return shared.get(key) as TaskRecord;
      };
      return {
        create: async (drafts) =>
          (await store.create(drafts)).map((outcome) => ({ ...outcome, record: kept(outcome.record) })),
        get: async (ids) => (await store.get(ids)).map((record) => record && kept(record)),
      };
    },
  ],
  [
    "does not count versions",
    ["version", "version-concurrent"],
    (store) => ({ get: async (ids) => (await store.get(ids)).map((record) => record && { ...record, version: 1 }) }),
  ],
  ["keeps every record for ever", ["expiry"], () => ({ retain: async () => {} })],
  [
    "never lifts an expiry",
    ["expiry-lifted"],
    (store) => ({
      retain: async (rootId, expiresAt) => (expiresAt === undefined ? undefined : store.retain(rootId, expiresAt)),
    }),
  ],
  ["tells nobody what has ended", ["changes"], () => ({ changes: () => () => {} })],
  [
    "goes on telling who has stopped listening",
    ["changes"],
    (store) => ({
      changes: (onEnded) => {
        store.changes(onEnded);
        return () => {};
      },
    }),
  ],
];
