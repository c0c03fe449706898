import { builtinModules } from "node:module";
import { resolve } from "node:path";
import { cruise, type ICruiseResult, type IForbiddenRuleType } from "dependency-cruiser";
import { beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const domain = "^packages/core/src/(contracts|ports|wire|lifecycle)/";
const tests = "([.]test(-d)?|-fixture)[.]ts$";
const drivers = "(^|node_modules/)(nats|@nats-io|amqplib|ioredis|redis|@redis|mongodb|rhea|kafkajs)(/|$)";
const builtins = `^(node:)?(${builtinModules.join("|")})(/|$)`;

/** What may not import what. The names are the titles of the tests. */
const rules: IForbiddenRuleType[] = [
  {
    name: "no import cycles, not even of types",
    from: { path: "^packages/" },
    to: { circular: true },
  },
  {
    name: "the domain and the ports import nothing of Node",
    from: { path: domain, pathNot: tests },
    to: { path: builtins },
  },
  {
    name: "the domain and the ports know neither the application around them nor any adapter",
    from: { path: domain, pathNot: tests },
    to: { path: "^packages/core/src/(app|worker|workflow|schedules|run-stream|memory|testing)/" },
  },
  {
    name: "what bundles for a browser reaches nothing of Node",
    from: { path: "^packages/core/src/(contracts/index|run-stream/client)[.]ts$" },
    to: { path: builtins, reachable: true },
  },
  {
    name: "the memory adapters know the ports, not the application",
    from: { path: "^packages/core/src/memory/", pathNot: tests },
    to: { path: "^packages/core/src/(app|worker|workflow|schedules|testing)/" },
  },
  {
    name: "core imports no driver",
    from: { path: "^packages/core/" },
    to: { path: drivers },
  },
  {
    name: "core names other packages of ours in dynamic imports of app/ only",
    from: { path: "^packages/core/src/", pathNot: tests },
    to: { path: "(^|node_modules/)@intermodal/|^packages/(?!core/)", dynamic: false },
  },
  {
    name: "outside of app/ core loads no other package of ours",
    from: { path: "^packages/core/src/", pathNot: ["^packages/core/src/app/", tests] },
    to: { path: "(^|node_modules/)@intermodal/|^packages/(?!core/)" },
  },
  {
    name: "the conformance kit and the network adapters import core by its entry points",
    from: { path: "^packages/(?!core/)", pathNot: tests },
    to: {
      path: "^packages/core/src/",
      pathNot:
        "^packages/core/src/(index|contracts/index|ports/index|adapter/index|testing/index|run-stream/client)[.]ts$",
    },
  },
  {
    name: "a network adapter knows the ports and what adapters share, not the application",
    from: { path: "^packages/(adapter|store)-[^/]+/src/", pathNot: tests },
    to: { path: "^packages/core/src/(?!(adapter|ports)/index[.]ts$)" },
  },
  {
    name: "what adapters share knows nothing but the domain, ports and errors",
    from: { path: "^packages/core/src/adapter/", pathNot: tests },
    to: { path: "^packages/core/src/", pathNot: "^packages/core/src/(adapter|lifecycle|ports|wire|errors)" },
  },
  {
    name: "only the binder of vitest imports vitest",
    from: { path: "^packages/conformance/src/", pathNot: ["^packages/conformance/src/vitest[.]ts$", tests] },
    to: { path: "(^|node_modules/)vitest(/|$)" },
  },
  {
    name: "what is published imports no development dependency",
    from: { path: "^packages/[^/]+/src/", pathNot: tests },
    to: {
      dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
      pathNot: "(^|node_modules/)(@types/node|vitest|@nats-io|amqplib|ioredis|mongodb)(/|$)",
    },
  },
  ...Object.entries({
    "adapter-nats": "/@nats-io/",
    "adapter-rabbit": "/amqplib/",
    "store-redis": "/ioredis/",
    "store-mongo": "/mongodb/",
  }).map(([adapter, own]) => ({
    name: `${adapter} imports no driver but its own`,
    from: { path: `^packages/${adapter}/src/` },
    to: { path: drivers, pathNot: own },
  })),
  {
    name: "what is published imports no test",
    from: { path: "^packages/[^/]+/src/", pathNot: tests },
    to: { path: tests },
  },
];

describe("what may not import what", () => {
  let result: ICruiseResult;

  beforeAll(async () => {
    const { output } = await cruise(
      ["packages"],
      {
        baseDir: root,
        doNotFollow: { path: "node_modules" },
        exclude: { path: "^packages/[^/]+/dist/" },
        tsPreCompilationDeps: true,
        combinedDependencies: true,
        validate: true,
        ruleSet: { forbidden: rules },
      },
      { conditionNames: ["@intermodal/source", "import", "types", "node", "default"], exportsFields: ["exports"] },
    );
    if (typeof output === "string") throw new Error(output);
    result = output;
  }, 120_000);

  test.each(rules.map(({ name }) => name))("%s", (name) => {
    const found = result.summary.violations.filter((violation) => violation.rule.name === name);
    expect(
      found.map(({ from, to, cycle }) => (cycle ? [from, ...cycle.map((step) => step.name)] : [from, to]).join(" -> ")),
    ).toEqual([]);
  });

  test("the sources were looked at, and every rule concerns some of them", () => {
    const sources = result.modules.map((module) => module.source);
    expect(sources).toContain("packages/core/src/index.ts");
    expect(sources).toContain("packages/conformance/src/index.ts");
    const unused = rules.filter(({ from }) => !sources.some((source) => new RegExp(String(from.path)).test(source)));
    expect(unused).toEqual([]);
  });
});
