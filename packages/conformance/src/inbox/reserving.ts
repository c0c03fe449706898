import { equal } from "../assert.ts";
import { boxCase, openBox, PAST_MS, SHORT_MS } from "./box.ts";

export const reservingCases = [
  boxCase(
    "one-node-each",
    ["IN-1"],
    "of nodes that reserve a message at once one gets it, the others come back later",
    async (t, box) => {
      const nodes = [box, ...(await Promise.all(["n2", "n3", "n4", "n5"].map((node) => openBox(t, node))))];
      for (let round = 0; round < t.size(200, 20); round++) {
        const answers = await Promise.all(nodes.map((one) => one.reserve(`m${round}`)));
        equal(answers.toSorted(), ["busy", "busy", "busy", "busy", "reserved"], `round ${round}`);
      }
    },
  ),

  boxCase(
    "reserved-again",
    ["IN-2"],
    "the node that holds a message may reserve it again, for its answer may have been lost",
    async (t, box) => {
      const other = await openBox(t, "n2");
      equal(await box.reserve("m", { leaseMs: SHORT_MS }), "reserved", "the first time");
      equal(await box.reserve("m"), "reserved", "again");
      await t.sleep(PAST_MS);
      equal(await other.reserve("m"), "busy", "elsewhere: the second lease counts");
    },
  ),

  boxCase("lease-ends", ["IN-2"], "a reservation ends with its lease, not earlier", async (t, box) => {
    const other = await openBox(t, "n2");
    equal(await box.reserve("m", { leaseMs: SHORT_MS }), "reserved", "the first node");
    equal(await box.reserve("long"), "reserved", "one with a long lease");
    equal(await other.reserve("m"), "busy", "another node meanwhile");
    await t.sleep(PAST_MS);
    equal(await other.reserve("m"), "reserved", "another node afterwards");
    equal(await box.reserve("m"), "busy", "the first one then");
    equal(await other.reserve("long"), "busy", "the one with a long lease");
  }),

  boxCase("released", ["IN-2"], "a reservation that was given back is free at once", async (t, box) => {
    const other = await openBox(t, "n2");
    await box.reserve("m");
    await box.release("m");
    equal(await other.reserve("m"), "reserved", "another node");
    await box.release("none");
    equal(await box.reserve("none"), "reserved", "what was never reserved may be given back");
    await other.release("none");
    equal(await other.reserve("none"), "busy", "what another node holds is not given back");
  }),
];
