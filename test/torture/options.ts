import { parseArgs } from "node:util";

export type Broker = "nats" | "rabbit";
const BROKERS: readonly string[] = ["nats", "rabbit"] satisfies Broker[];

/** One run: what is sent through which broker, and what is done to it meanwhile. */
export interface TortureOptions {
  readonly broker: Broker;
  /** Every moment of the run is drawn from it. */
  readonly seed: number;
  /** Commands are shared by one group of workers; events go to each of two groups, the listeners. */
  readonly kind: "commands" | "events";
  readonly messages: number;
  /** Processes of each group. */
  readonly processes: number;
  /** How often a worker is killed with -9 and replaced. */
  readonly kills: number;
  /** How often the broker is killed with -9 and started again. */
  readonly restarts: number;
  /** How long the broker is away each time. */
  readonly downMs: { readonly min: number; readonly max: number };
  /** In place of the adapter's default, so that a short run does not wait for what killed workers held. */
  readonly leaseMs?: number | undefined;
}

export const USAGE = `usage: npm run torture -- nats|rabbit [options]

  --seed N        repeats a run; drawn and printed when absent
  --commands N    how many commands are sent (100,000)
  --workers N     processes that share them (4)
  --events N      events instead, to 2 listeners of 2 processes each
  --kills N       how often a worker is killed with -9 and replaced (10; with --events 0)
  --restarts N    how often the broker is killed with -9 and restarted (3; with --events 1)
  --json FILE     writes the summary there too`;

/** @throws what is wrong with the arguments, for whoever typed them. */
export function parseOptions(args: readonly string[]): { readonly options: TortureOptions; readonly json?: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      commands: { type: "string" },
      workers: { type: "string" },
      events: { type: "string" },
      kills: { type: "string" },
      restarts: { type: "string" },
      json: { type: "string" },
    },
  });
  const [broker, ...rest] = positionals;
  if (broker === undefined || !isBroker(broker) || rest.length > 0) {
    throw new Error(`name one broker: ${BROKERS.join(" or ")}`);
  }
  const isEvents = values.events !== undefined;
  if (isEvents && values.commands !== undefined) throw new Error("--commands and --events exclude each other");
  const number = (name: Exclude<keyof typeof values, "json">, fallback: number, least: number) => {
    const text = values[name];
    const value = text === undefined ? fallback : Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(`--${name} must be a whole number from ${least}, not ${text}`);
  };
  const options: TortureOptions = {
    broker,
    seed: number("seed", randomSeed(), 0),
    kind: isEvents ? "events" : "commands",
    messages: isEvents ? number("events", 0, 1) : number("commands", 100_000, 1),
    processes: number("workers", isEvents ? 2 : 4, 1),
    kills: number("kills", isEvents ? 0 : 10, 0),
    restarts: number("restarts", isEvents ? 1 : 3, 0),
    downMs: { min: 1_000, max: 5_000 },
  };
  return values.json === undefined ? { options } : { options, json: values.json };
}

export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

export function isBroker(name: string): name is Broker {
  return BROKERS.includes(name);
}
