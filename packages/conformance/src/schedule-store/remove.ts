import { assert, equal } from "../assert.ts";
import { draft, namesOf, scheduleCase } from "./client.ts";

export const removeCases = [
  scheduleCase(
    "remove",
    ["SC-6"],
    "what was removed is gone from every read, however often it is removed",
    async (_t, client) => {
      const nextAt = (await client.now()) - 1;
      for (const name of ["a", "b", "c"]) await client.write(name, { nextAt });
      await client.port.remove(["a", "none", "c"]);
      await client.port.remove(["a"]);
      equal(await client.get("a"), undefined, "get");
      equal(namesOf(await client.all()), ["b"], "list");
      equal(namesOf(await client.due()), ["b"], "due");
      await client.port.remove(["b"]);
      const { items, nextAt: next } = await client.port.due();
      equal([items, next], [[], undefined], "due when all are gone");
    },
  ),

  scheduleCase(
    "remove-stale",
    ["SC-6"],
    "a write on what was removed is not written, also when one of the same name has come since",
    async (_t, client) => {
      const before = await client.write("a");
      await client.port.remove(["a"]);
      equal(
        await client.put("a", before.revision, draft()),
        { written: false, schedule: undefined },
        "after the removal",
      );
      equal(await client.get("a"), undefined, "it stays removed");
      const after = await client.write("a", { fires: 5 });
      assert(after.createdAt >= before.createdAt, "it came about anew");
      equal(await client.put("a", before.revision, draft()), { written: false, schedule: after }, "after it came anew");
      equal(await client.schedule("a"), after, "what is kept");
    },
  ),
];
