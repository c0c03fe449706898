import { assert, equal, rejects } from "../assert.ts";
import { storeCase } from "./declare.ts";

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
      if (maxPayloadBytes > 64 * 1_048_576) t.skip(`payloads up to ${maxPayloadBytes} bytes are too long to try`);
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
