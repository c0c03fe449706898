import type { BatchError, CreateOutcome } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { storeCase } from "./declare.ts";

/** Longer payloads take too long to make. */
const LONGEST_TRIED_BYTES = 64 * 1_048_576;

export const payloadCases = [
  storeCase("payload-megabyte", ["TS-17"], "1 MiB is kept unchanged", async (_t, store) => {
    const megabyte = "é".repeat((1_048_576 - 2) / 2);
    await store.make("a", { input: megabyte });
    const { record, lease } = await store.take("a");
    assert(record.input === megabyte, "1 MiB of input");
    assert((await store.end(lease, { kind: "completed", result: megabyte })).result === megabyte, "1 MiB of result");
    assert((await store.record("a")).result === megabyte, "1 MiB of result as it is kept");
  }),

  storeCase(
    "payload-limit",
    ["TS-17"],
    "a payload longer than declared is refused and changes nothing",
    async (t, store) => {
      const { maxPayloadBytes } = store.port.capabilities;
      if (maxPayloadBytes > LONGEST_TRIED_BYTES) t.skip(`payloads up to ${maxPayloadBytes} bytes are too long to try`);
      // Its length in characters is within the limit.
      const tooLong = "é".repeat(Math.floor(maxPayloadBytes / 2));
      await rejects("an input that is too long", "PAYLOAD_TOO_LARGE", () =>
        store.create(store.draft("b", { input: tooLong })),
      );
      equal(await store.get("b"), undefined, "the record that was refused");
      await store.make("c");
      const { lease: held } = await store.take("c");
      const before = await store.record("c");
      await rejects("a result that is too long", "PAYLOAD_TOO_LARGE", () =>
        store.settle(held, { kind: "completed", result: tooLong }),
      );
      equal(await store.record("c"), before, "the record after its settle was refused");
      await rejects("a progress that is too long", "PAYLOAD_TOO_LARGE", () => store.renew(held, { progress: tooLong }));
      equal((await store.end(held, { kind: "completed" })).status, "COMPLETED", "its lease is still good");
    },
  ),

  storeCase(
    "payload-in-batch",
    ["TS-17"],
    "a payload that is refused fails its own item of a batch, and the error carries the answers of the others",
    async (t, store) => {
      const { maxPayloadBytes } = store.port.capabilities;
      if (maxPayloadBytes > LONGEST_TRIED_BYTES) t.skip(`payloads of ${maxPayloadBytes} bytes are too long to try`);
      const tooLong = "x".repeat(maxPayloadBytes);
      const drafts = [store.draft("a"), store.draft("b", { input: tooLong }), store.draft("c")];
      const error = await rejects("the batch", "PAYLOAD_TOO_LARGE", () => store.port.create(drafts));
      const { failures, results } = error as BatchError;
      equal(
        failures?.map((failure) => failure?.code),
        [undefined, "PAYLOAD_TOO_LARGE", undefined],
        "which of them failed",
      );
      const outcomes = results as readonly (CreateOutcome | undefined)[];
      equal(
        outcomes.map((outcome) => outcome?.record.id),
        ["a", undefined, "c"],
        "the answers of the others",
      );
      equal(
        (await store.port.get(["a", "b", "c"])).map((record) => record?.status),
        ["QUEUED", undefined, "QUEUED"],
        "the records",
      );
    },
  ),

  storeCase("snapshots", ["TS-17"], "what was given and what is returned are snapshots", async (_t, store) => {
    const input = { list: [1], deep: { x: 1 } };
    const { record } = await store.create(store.draft("a", { input }));
    input.list.push(2);
    equal((await store.record("a")).input, { list: [1], deep: { x: 1 } }, "after what was given changed");
    try {
      (record.input as { deep: { x: number } }).deep.x = 2;
      (record as { status: string }).status = "FAILED";
    } catch {
      // Frozen is as good.
    }
    const kept = await store.record("a");
    equal([kept.input, kept.status], [{ list: [1], deep: { x: 1 } }, "QUEUED"], "after what was returned changed");
  }),
];
