import { equal } from "../assert.ts";
import { boxCase, openBox, PAST_MS, SHORT_MS } from "./box.ts";

export const completingCases = [
  boxCase(
    "completed",
    ["IN-3"],
    "what was completed is so for every node, and giving it back does not undo it",
    async (t, box) => {
      const other = await openBox(t, "n2");
      await box.reserve("m");
      await box.complete("m");
      await box.complete("m");
      equal([await box.reserve("m"), await other.reserve("m")], ["completed", "completed"], "both nodes");
      await box.release("m");
      await other.release("m");
      equal([await box.reserve("m"), await other.reserve("m")], ["completed", "completed"], "after release");
      await box.complete("unreserved");
      equal(await other.reserve("unreserved"), "completed", "one whose reservation had run out");
    },
  ),

  boxCase("window-ends", ["IN-3"], "a completion is remembered for its window, not longer", async (t, box) => {
    await box.reserve("m", { leaseMs: 1 });
    await box.complete("m", { windowMs: SHORT_MS });
    await box.complete("long");
    equal(await box.reserve("m"), "completed", "within its window");
    await t.sleep(PAST_MS);
    equal(await box.reserve("m"), "reserved", "afterwards");
    equal(await box.reserve("long"), "completed", "one with a long window");
  }),

  boxCase(
    "completed-survives",
    ["IN-3"],
    "what a store has acknowledged is there after it was stopped and started",
    async (t, box) => {
      const other = await openBox(t, "n2");
      await box.reserve("held");
      await box.reserve("m");
      await box.complete("m");
      await t.faults.stop();
      await t.faults.start();
      const answers = { m: "", held: "" };
      await t.until(
        "the store is back",
        async () => {
          try {
            answers.m = await other.reserve("m");
            answers.held = await other.reserve("held");
            return true;
          } catch {
            // It is not back yet; if it never is, the wait fails.
            return false;
          }
        },
        { withinMs: 60_000 },
      );
      equal(answers, { m: "completed", held: "busy" }, "what another node is told");
    },
    ["stop", "start"],
  ),
];
