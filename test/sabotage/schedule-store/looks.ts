import { IntermodalError, isIntermodalError } from "@intermodal/core/ports";
import type { Break } from "./store.ts";

/** Broken promises about what is due and what is listed. */
export const LOOKS: readonly Break[] = [
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
