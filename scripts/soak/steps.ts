import { parseArgs } from "node:util";
import { BUSES, STORES } from "../../test/matrix/names.ts";
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
  /** Beside what is set already. */
  readonly environment: Readonly<Record<string, string>>;
}

const SUBJECTS = ["nats", "rabbit", "stores", "matrix"] as const;
type Subject = (typeof SUBJECTS)[number];

export interface SoakOptions {
  readonly subjects: readonly Subject[];
  /** What a part's name has one of; all parts where none is given. */
  readonly parts: readonly string[];
  /** One small part instead of everything. */
  readonly slice: boolean;
  /** How many times in a row the suites run. */
  readonly runs: number;
  readonly seed: number;
}

export const USAGE = `usage: npm run soak -- [options]

  --only nats|rabbit|stores|matrix   one broker (with the faults, which are the same files for both), the stores, or the life of a task on every bus and store
  --part TEXT                        only parts whose name has this in it, such as "on nats with mongo"; may be given several times
  --runs N                           how many times in a row the suites run at their ordinary size (10)
  --slice                            one small part, chosen by the seed, within about a minute
  --seed N                           the first seed; drawn and printed when absent`;

const REPEATS = 10;
const VITEST = ["node_modules/vitest/vitest.mjs", "run"];
const FULL = { INTERMODAL_SIZE: "full" };

/** @throws what is wrong with the arguments, for whoever typed them. */
export function parseSoak(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      part: { type: "string", multiple: true },
      runs: { type: "string" },
      slice: { type: "boolean" },
      seed: { type: "string" },
    },
  });
  const { only, part: parts = [], slice = false } = values;
  const subjects = SUBJECTS.filter((subject) => only === undefined || only === subject);
  if (subjects.length === 0) throw new Error(`--only must be one of ${SUBJECTS.join(", ")}, not ${only}`);
  const seed = values.seed === undefined ? randomSeed() : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed must be a whole number, not ${values.seed}`);
  const runs = values.runs === undefined ? REPEATS : Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new Error(`--runs must be a whole number from 1, not ${values.runs}`);
  if (slice && parts.length > 0)
    throw new Error("--slice chooses its part by the seed: give one of --slice and --part");
  const options: SoakOptions = { subjects, parts, slice, runs, seed };
  if (stepsOf(options).length === 0) throw new Error(`no part's name has ${parts.join(" or ")} in it`);
  return options;
}

export function stepsOf(options: SoakOptions): readonly Step[] {
  if (options.slice) return [slice(options)];
  const { parts } = options;
  return everything(options).filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
}

function everything({ subjects, runs, seed }: SoakOptions): readonly Step[] {
  const steps: Step[] = [];
  if (subjects.some(isBroker)) steps.push(suite("faults", ["test/faults"], { environment: FULL }));
  for (const [index, broker] of subjects.filter(isBroker).entries()) {
    steps.push(
      suite(`conformance of ${broker}`, [`test/brokers/${broker}`], { runs }),
      suite(`conformance of ${broker} at full size`, [`test/brokers/${broker}`], { environment: FULL }),
      torture(`100,000 commands over ${broker}`, [broker, "--commands", "100000"], seed + 2 * index),
      torture(`10,000 events over ${broker}`, [broker, "--events", "10000", "--restarts", "3"], seed + 2 * index + 1),
    );
  }
  if (subjects.includes("stores")) {
    steps.push(
      suite("conformance of the stores", ["test/stores"], { runs }),
      // One file at a time: how long handlers take is measured in one of them.
      suite("conformance of the stores at full size", ["test/stores", "--maxWorkers=1"], { environment: FULL }),
    );
  }
  if (subjects.includes("matrix")) {
    for (const bus of BUSES) {
      for (const store of STORES) {
        // Both in memory it is every moment, in virtual time, in each `npm test`.
        if (bus === "memory" && store === "memory") continue;
        const name = `the life of a task on ${bus} with ${store}`;
        steps.push(suite(name, [`test/matrix/lifecycle-${bus}`], { runs, environment: { INTERMODAL_STORES: store } }));
      }
    }
    steps.push(suite("one scenario on every bus and store", ["test/matrix/matrix", "test/matrix/main-job"], { runs }));
  }
  return steps;
}

function slice({ subjects, seed }: SoakOptions): Step {
  const random = seededRandom(seed);
  const brokers = subjects.filter(isBroker);
  const broker: Broker = brokers[Math.floor(random() * brokers.length)] ?? "nats";
  return random() < 0.75
    ? torture(`3,000 commands over ${broker}`, [broker, "--commands", "3000", "--kills", "3", "--restarts", "1"], seed)
    : torture(`2,000 events over ${broker}`, [broker, "--events", "2000", "--restarts", "1"], seed);
}

function suite(
  name: string,
  folders: readonly string[],
  { runs = 1, environment = {} }: Partial<Pick<Step, "runs" | "environment">>,
): Step {
  return { name, command: [...VITEST, ...folders], collects: "tests", runs, environment };
}

function torture(name: string, args: readonly string[], seed: number): Step {
  const command = ["test/torture/main.ts", ...args, "--seed", String(seed)];
  return { name, command, collects: "torture", runs: 1, environment: {} };
}
