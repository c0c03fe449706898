import type { BatchError, ScheduleOutcome } from "@intermodal/core/ports";
import { assert, equal, rejects } from "../assert.ts";
import { HOSTILE_TEXTS, HOSTILE_VALUES } from "../task-state-store/hostile-values.ts";
import { definition, draft, namesOf, openClient, scheduleCase } from "./client.ts";

/** The least that every store takes. */
const LEAST_MAX_BYTES = 262_144;
/** Longer definitions take too long to make. */
const LONGEST_TRIED_BYTES = 64 * 1_048_576;

export const hostileCases = [
  scheduleCase(
    "hostile-names",
    ["SC-7"],
    "schedules are apart, whatever characters their names have",
    async (_t, client) => {
      const nextAt = (await client.now()) - 1;
      await client.port.put(
        HOSTILE_TEXTS.map((name, at) => ({ name, expected: undefined, schedule: draft({ nextAt, fires: at }) })),
      );
      const { schedules } = await client.port.get(HOSTILE_TEXTS);
      equal(
        schedules.map((schedule) => [schedule?.name, schedule?.fires]),
        HOSTILE_TEXTS.map((name, at) => [name, at]),
        "what is kept under each name",
      );
      for (const limit of [undefined, 7]) {
        equal([...namesOf(await client.all(limit))].sort(), [...HOSTILE_TEXTS].sort(), `list in pages of ${limit}`);
        equal([...namesOf(await client.due(limit))].sort(), [...HOSTILE_TEXTS].sort(), `due in pages of ${limit}`);
      }
      for (const name of HOSTILE_TEXTS) await client.port.remove([name]);
      equal(await client.all(), [], "after all were removed, one by one");
    },
  ),

  scheduleCase("hostile-definitions", ["SC-7"], "any definition comes back unchanged", async (_t, client) => {
    for (const [at, input] of HOSTILE_VALUES.entries()) {
      const text = HOSTILE_TEXTS[at % HOSTILE_TEXTS.length] as string;
      const given = definition({ input, userId: text, timing: { cron: text, timezone: text } });
      const last = { lastDueAt: -1, lastFiredAt: 8_640_000_000_000_000, lastTaskId: text };
      const written = await client.write(`s${at}`, { definition: given, ...last });
      equal(written.definition, given, `the definition with ${JSON.stringify(input)}, as it is answered`);
      const { definition: kept, lastDueAt, lastFiredAt, lastTaskId } = await client.schedule(`s${at}`);
      equal(kept, given, `the definition with ${JSON.stringify(input)}, as it is kept`);
      equal({ lastDueAt, lastFiredAt, lastTaskId }, last, "the rest of it");
    }
    for (const timing of [{ everyMs: 1_000 }, { at: 0 }, { at: -8_640_000_000_000_000 }]) {
      const given = definition({ timing, enabled: false, missed: "skip", overlap: "skip" });
      equal((await client.write(JSON.stringify(timing), { definition: given })).definition, given, "the definition");
    }
  }),

  scheduleCase(
    "definition-limit",
    ["SC-7"],
    "a definition longer than declared is refused, and the rest of its batch is written",
    async (t, client) => {
      const { maxDefinitionBytes } = client.port.capabilities;
      assert(maxDefinitionBytes >= LEAST_MAX_BYTES, `maxDefinitionBytes is at least ${LEAST_MAX_BYTES}`);
      const long = definition({ input: "é".repeat((LEAST_MAX_BYTES - 2_048) / 2) });
      equal((await client.write("long", { definition: long })).definition, long, "a long definition");
      if (maxDefinitionBytes > LONGEST_TRIED_BYTES) t.skip(`${maxDefinitionBytes} bytes are too long to try`);
      // Its length in characters is within the limit.
      const tooLong = definition({ input: "é".repeat(Math.floor(maxDefinitionBytes / 2)) });
      await rejects("one that is too long", "PAYLOAD_TOO_LARGE", () =>
        client.put("a", undefined, draft({ definition: tooLong })),
      );
      equal(await client.get("a"), undefined, "what was refused");
      const error = await rejects("the batch", "PAYLOAD_TOO_LARGE", () =>
        client.port.put(
          [{}, { definition: tooLong }, {}].map((of, at) => ({
            name: `s${at}`,
            expected: undefined,
            schedule: draft(of),
          })),
        ),
      );
      const { failures, results } = error as BatchError;
      equal(
        failures?.map((failure) => failure?.code),
        [undefined, "PAYLOAD_TOO_LARGE", undefined],
        "which of them failed",
      );
      const outcomes = results as readonly (ScheduleOutcome | undefined)[];
      equal(
        outcomes.map((outcome) => outcome?.written),
        [true, undefined, true],
        "the answers of the others",
      );
      equal([...namesOf(await client.all())].sort(), ["long", "s0", "s2"], "what is kept");
    },
  ),

  scheduleCase("namespaces", ["SC-8"], "namespaces are apart", async (t, client) => {
    const nextAt = (await client.now()) - 1;
    const others = await Promise.all(
      ["x", "-x", ".x"].map((suffix) => openClient(t, { namespace: `${t.namespace}${suffix}` })),
    );
    const own = await client.write("a", { nextAt });
    for (const other of others) {
      equal([await other.get("a"), await other.all(), await other.due()], [undefined, [], []], "elsewhere");
      equal((await other.port.due()).nextAt, undefined, "elsewhere nothing falls due");
      await other.write("a", { nextAt, fires: 7 });
      await other.port.remove(["a"]);
    }
    equal(await client.schedule("a"), own, "what is kept");
    equal(namesOf(await client.due()), ["a"], "what is due");
  }),
];
