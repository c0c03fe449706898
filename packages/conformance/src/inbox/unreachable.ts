import { assert, equal, rejects } from "../assert.ts";
import { Box, boxCase } from "./box.ts";

/** Longer than any store may let a caller wait. */
const BOUND_MS = 60_000;

/** Every method of the port. */
function everyMethod(box: Box): readonly (readonly [string, () => Promise<unknown>])[] {
  return [
    ["reserve", () => box.reserve("m")],
    ["complete", () => box.complete("m")],
    ["release", () => box.release("m")],
  ];
}

export const unreachableCases = [
  boxCase(
    "closed",
    ["IN-5"],
    "after close every method rejects with CLOSED, and other clients go on",
    async (t, box) => {
      const adapter = await t.open();
      assert(adapter.inbox !== undefined, "the adapter has an inbox");
      const closing = new Box(adapter.inbox, "n2");
      await closing.reserve("m");
      await adapter.close();
      for (const [what, call] of everyMethod(closing)) await rejects(`${what} after close`, "CLOSED", call);
      equal(await box.reserve("m"), "busy", "another client's view");
    },
  ),

  boxCase(
    "unreachable",
    ["IN-5"],
    "while the store is away every method rejects in a bounded time, and works again afterwards",
    async (t) => {
      const adapter = await t.open();
      assert(adapter.inbox !== undefined, "the adapter has an inbox");
      const box = new Box(adapter.inbox, "n2");
      await box.reserve("other");
      await t.faults.cut(adapter);
      const started = t.clock.now();
      await Promise.all(
        everyMethod(box).map(([what, call]) => rejects(`${what} while the store is away`, "UNAVAILABLE", call)),
      );
      const took = t.clock.now() - started;
      assert(took <= BOUND_MS, `they reject within ${BOUND_MS} ms (${took} ms)`);
      await t.faults.mend(adapter);
      const back = () =>
        box.reserve("m").then(
          (answer) => answer === "reserved",
          () => false,
        );
      await t.until("it works again", back, { withinMs: 30_000 });
    },
    ["cut", "mend"],
  ),
];
