import { parseArgs } from "node:util";
import { type Broker, isBroker, randomSeed } from "../../test/torture/options.ts";
import { seededRandom } from "../../test/torture/random.ts";

/** One part of the soak: a command, and how its figures are collected. */
export interface Step {
  readonly name: string;
  /** A script of this repository and its arguments. */
  readonly command: readonly string[];
  readonly collects: "tests" | "torture";
  /** How many times in a row. */
  readonly runs: number;
}

export interface SoakOptions {
  readonly brokers: readonly Broker[];
  /** One small part instead of everything. */
  readonly slice: boolean;
  readonly seed: number;
}

export const USAGE = `usage: npm run soak -- [options]

  --only nats|rabbit   one broker; the faults, which are the same files for both, stay both
  --slice              one small part, chosen by the seed, within about a minute
  --seed N             the first seed; drawn and printed when absent`;

const REPEATS = 10;
const VITEST = ["node_modules/vitest/vitest.mjs", "run"];

/** @throws what is wrong with the arguments, for whoever typed them. */
export function parseSoak(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: "string" }, slice: { type: "boolean" }, seed: { type: "string" } },
  });
  const { only, slice = false } = values;
  if (only !== undefined && !isBroker(only)) throw new Error(`--only must be nats or rabbit, not ${only}`);
  const seed = values.seed === undefined ? randomSeed() : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed must be a whole number, not ${values.seed}`);
  return { brokers: only === undefined ? ["nats", "rabbit"] : [only], slice, seed };
}

export function stepsOf(options: SoakOptions): readonly Step[] {
  return options.slice ? [slice(options)] : everything(options);
}

function everything({ brokers, seed }: SoakOptions): readonly Step[] {
  return [
    { name: "faults", command: [...VITEST, "test/faults"], collects: "tests", runs: 1 },
    ...brokers.flatMap((broker, index): Step[] => [
      {
        name: `conformance of ${broker}`,
        command: [...VITEST, `test/brokers/${broker}`],
        collects: "tests",
        runs: REPEATS,
      },
      torture(`100,000 commands over ${broker}`, [broker, "--commands", "100000"], seed + 2 * index),
      torture(`10,000 events over ${broker}`, [broker, "--events", "10000", "--restarts", "3"], seed + 2 * index + 1),
    ]),
  ];
}

function slice({ brokers, seed }: SoakOptions): Step {
  const random = seededRandom(seed);
  const broker = brokers[Math.floor(random() * brokers.length)] ?? "nats";
  return random() < 0.75
    ? torture(`3,000 commands over ${broker}`, [broker, "--commands", "3000", "--kills", "3", "--restarts", "1"], seed)
    : torture(`2,000 events over ${broker}`, [broker, "--events", "2000", "--restarts", "1"], seed);
}

function torture(name: string, args: readonly string[], seed: number): Step {
  const command = ["test/torture/main.ts", ...args, "--seed", String(seed)];
  return { name, command, collects: "torture", runs: 1 };
}
