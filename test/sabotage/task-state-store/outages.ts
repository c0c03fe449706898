import { IntermodalError, isIntermodalError, type TaskStateStore } from "@intermodal/core/ports";
import type { Break } from "./store.ts";

const METHODS = [
  "create",
  "get",
  "list",
  "markSent",
  "withdraw",
  "retain",
  "claim",
  "renew",
  "reserve",
  "settle",
  "childEnded",
  "requestCancel",
  "reopen",
  "reopenChild",
  "recover",
  "dutiesDone",
] as const;

type Method = (...args: never[]) => Promise<unknown>;

/** Every method goes through `call`. */
function everyMethod(
  store: TaskStateStore,
  call: (method: string, run: () => Promise<unknown>) => Promise<unknown>,
): Partial<TaskStateStore> {
  const wrapped = METHODS.map((method) => {
    const original = store[method].bind(store) as Method;
    return [method, (...args: never[]) => call(method, () => original(...args))] as const;
  });
  return Object.fromEntries(wrapped) as Partial<TaskStateStore>;
}

/** Broken promises about the sweep, outages and lost answers. */
export const OUTAGES: readonly Break[] = [
  [
    "sweeps up nothing",
    ["recover-reasons", "recover-children", "recover-pages", "recover-one-node", "cancel-sweep", "lost-recover"],
    () => ({ recover: async () => ({ items: [] }) }),
  ],
  [
    "sweeps up what merely waits in a queue",
    ["recover-merely-queued", "recover-reasons"],
    (store) => ({
      recover: async (options) => {
        const page = await store.recover(options);
        const { items } = await store.list({ status: "QUEUED" });
        return (
          page && { ...page, items: [...page.items, ...items.map((record) => ({ record, reason: "unsent" }) as const)] }
        );
      },
    }),
  ],
  [
    "hides what is past the first page of a sweep",
    ["recover-pages", "recover-one-node"],
    (store) => ({
      recover: async (options) => {
        const page = await store.recover(options);
        return page && { items: page.items };
      },
    }),
  ],
  [
    "lets everybody sweep at once",
    ["recover-one-node"],
    (store) => ({ recover: (options) => store.recover({ ...options, node: "anybody" }) }),
  ],
  [
    "writes to what merely runs when it sweeps",
    ["recover-merely-queued"],
    (store) => ({
      recover: async (options) => {
        for (const { id } of (await store.list({ status: "RUNNING" })).items) await store.requestCancel([id]);
        return store.recover(options);
      },
    }),
  ],
  [
    "throws at whom it cannot tell of changes",
    ["changes-never-throws"],
    (store, { adapter }) => ({
      changes: (onEnded) => {
        if (!adapter.connection.isUp) throw new IntermodalError("UNAVAILABLE", "no connection");
        return store.changes(onEnded);
      },
    }),
  ],
  [
    "says that it is away when it is closed",
    ["closed", "closed-unused"],
    (store) =>
      everyMethod(store, async (_method, run) => {
        try {
          return await run();
        } catch (error) {
          throw isIntermodalError(error, "CLOSED") ? new IntermodalError("UNAVAILABLE", "away") : error;
        }
      }),
  ],
  [
    "never answers while it is away",
    ["unreachable", "restart"],
    (store) =>
      everyMethod(store, async (_method, run) => {
        try {
          return await run();
        } catch (error) {
          if (isIntermodalError(error, "UNAVAILABLE") && !error.unknown) return new Promise(() => {});
          throw error;
        }
      }),
  ],
  [
    "refuses to repeat a step whose answer was lost",
    ["lost-create", "lost-claim", "lost-settle", "lost-family", "lost-recover"],
    (store) => {
      const lost = new Set<string>();
      return everyMethod(store, async (method, run) => {
        if (lost.delete(method)) throw new IntermodalError("CONFLICT", `${method} was tried before`);
        try {
          return await run();
        } catch (error) {
          if (isIntermodalError(error, "UNAVAILABLE") && error.unknown) lost.add(method);
          throw error;
        }
      });
    },
  ],
];
