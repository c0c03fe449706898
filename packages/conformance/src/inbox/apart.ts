import { equal } from "../assert.ts";
import { HOSTILE_TEXTS } from "../task-state-store/hostile-values.ts";
import { Box, boxCase, openBox } from "./box.ts";

const TEXTS = [...HOSTILE_TEXTS, "", "\ud800", "\udfff"];

export const apartCases = [
  boxCase(
    "hostile-ids",
    ["IN-4"],
    "listeners, ids and nodes are apart, whatever characters they have",
    async (_t, box) => {
      for (const text of TEXTS) {
        equal(await box.reserve(text), "reserved", `the message ${JSON.stringify(text)}`);
        await box.complete(text);
      }
      for (const listener of TEXTS) {
        equal(await box.reserve("m", { listener }), "reserved", `the listener ${JSON.stringify(listener)}`);
        await box.complete("m", { listener });
      }
      await box.complete("b:c", { listener: "a" });
      const others: [string, string][] = [
        ["a:b", "c"],
        ["ab", ":c"],
        ["a:", "b:c"],
        ["", "a:b:c"],
      ];
      for (const [name, id] of others)
        equal(
          await box.reserve(id, { listener: name }),
          "reserved",
          `${JSON.stringify(id)} of ${JSON.stringify(name)}`,
        );
      const nodes = TEXTS.map((node) => new Box(box.port, node));
      for (const [at, one] of nodes.entries()) {
        const next = nodes[(at + 1) % nodes.length];
        equal(await one.reserve(`by ${at}`), "reserved", `the node ${JSON.stringify(one.node)}`);
        equal(await next?.reserve(`by ${at}`), "busy", `another than ${JSON.stringify(one.node)}`);
        equal(await one.reserve(`by ${at}`), "reserved", `${JSON.stringify(one.node)} again`);
      }
    },
  ),

  boxCase("namespaces", ["IN-4"], "namespaces are apart", async (t, box) => {
    await box.complete("m");
    for (const suffix of ["x", "-x", ".x"]) {
      const other = await openBox(t, "n2", { namespace: `${t.namespace}${suffix}` });
      equal(await other.reserve("m"), "reserved", "the same id elsewhere");
      await other.release("m");
    }
    equal(await box.reserve("m"), "completed", "here");
  }),
];
