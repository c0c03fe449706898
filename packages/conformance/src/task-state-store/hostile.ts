import type { JsonValue } from "@intermodal/core/ports";
import { equal } from "../assert.ts";
import { openStore, storeCase } from "./declare.ts";
import { HOSTILE_TEXTS, HOSTILE_VALUES } from "./hostile-values.ts";
import { pastMs, SHORT_LEASE_MS } from "./store.ts";

export const hostileCases = [
  storeCase(
    "hostile-ids",
    ["TS-17"],
    "records stay apart, whatever characters their ids and users have",
    async (_t, store) => {
      const drafts = HOSTILE_TEXTS.map((id, at) =>
        store.draft(id, { input: at, userId: id, parentId: `p${id}`, rootId: id, key: id }),
      );
      const outcomes = await store.port.create(drafts);
      equal(
        outcomes.map(({ kind }) => kind),
        drafts.map(() => "created"),
        "each is a record of its own",
      );
      const records = await store.port.get(HOSTILE_TEXTS);
      for (const [at, id] of HOSTILE_TEXTS.entries()) {
        const record = records[at];
        equal(
          [record?.id, record?.input, record?.userId, record?.key],
          [id, at, id, id],
          `what is kept under ${JSON.stringify(id)}`,
        );
        for (const query of [{ userId: id }, { rootId: id }, { parentId: `p${id}` }]) {
          equal(
            (await store.port.list(query)).items.map((item) => item.id),
            [id],
            `list of ${JSON.stringify(query)}`,
          );
        }
      }
      for (const [at, id] of HOSTILE_TEXTS.entries()) {
        const { lease } = await store.take(id);
        equal((await store.end(lease, { kind: "completed", result: at })).id, id, "settled");
      }
      equal(
        (await store.port.get(HOSTILE_TEXTS)).map((record) => record?.result),
        HOSTILE_TEXTS.map((_, at) => at),
        "results",
      );
      equal(await store.get("never made"), undefined, "an id that was never made");
    },
  ),

  storeCase(
    "hostile-keys",
    ["TS-17", "TS-12"],
    "keys of sub-tasks stay apart, whatever characters they have",
    async (_t, store) => {
      await store.make("p");
      const { lease } = await store.take("p");
      for (const [at, key] of HOSTILE_TEXTS.entries()) {
        equal(await store.reserve(lease, key, `c${at}`), { kind: "reserved" }, `reserving ${JSON.stringify(key)}`);
      }
      const { children } = await store.record("p");
      equal(new Set(Object.keys(children)), new Set(HOSTILE_TEXTS), "the keys");
      for (const [at, key] of HOSTILE_TEXTS.entries()) {
        equal(
          Object.getOwnPropertyDescriptor(children, key)?.value.id,
          `c${at}`,
          `the sub-task under ${JSON.stringify(key)}`,
        );
        equal((await store.reserve(lease, key, "other")).kind, "existing", `reserving ${JSON.stringify(key)} again`);
      }
      await store.end(lease, { kind: "completed" });
      for (const [at, key] of HOSTILE_TEXTS.entries()) await store.childEnded("p", key, "COMPLETED", { id: `c${at}` });
      equal((await store.record("p")).status, "COMPLETED", "all of them have ended");
    },
  ),

  storeCase(
    "hostile-payloads",
    ["TS-17"],
    "inputs, progress, results and errors are kept unchanged",
    async (_t, store) => {
      for (const [at, value] of HOSTILE_VALUES.entries()) {
        const id = `v${at}`;
        const input: JsonValue = { value };
        await store.make(id, { input });
        equal((await store.create(store.draft(id, { input }))).kind, "existing", `the same input again (${at})`);
        const { record, lease } = await store.take(id);
        equal(record.input, input, `input ${at}`);
        await store.renew(lease, { progress: { value } });
        equal((await store.record(id)).progress, { value }, `progress ${at}`);
        const error = { name: "E", message: JSON.stringify(value).slice(0, 1_000), code: "$code" };
        equal((await store.end(lease, { kind: "retry", error, delayMs: 0 })).error, error, `error ${at}`);
        const { lease: next } = await store.take(id);
        await store.end(next, { kind: "completed", result: value });
        equal((await store.record(id)).result, value, `result ${at}`);
      }
    },
  ),

  storeCase("namespaces", ["TS-17"], "namespaces are apart", async (t, store) => {
    const others = await Promise.all(
      ["x", "-x", ".x"].map((suffix) => openStore(t, { namespace: `${t.namespace}${suffix}` })),
    );
    for (const [at, other] of [store, ...others].entries()) await other.make("a", { input: at });
    await store.take("a");
    await t.sleep(pastMs(SHORT_LEASE_MS));
    for (const [at, other] of others.entries()) {
      const record = await other.record("a");
      equal([record.input, record.status], [at + 1, "QUEUED"], "the same id elsewhere");
      equal((await other.port.list({})).items.length, 1, "what list finds");
      equal(await other.sweep("sweeper", SHORT_LEASE_MS), new Map([["a", "unsent"]]), "what a sweep finds");
    }
  }),
];
