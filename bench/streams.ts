import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { redact } from "@intermodal/core/ports";
import { type Server, startServer, whyMissing } from "../test/servers/index.ts";
import { type Figure, machine, missed, type Report, table } from "./figures.ts";
import { measureHistory } from "./streams-history.ts";
import { measureLatency } from "./streams-latency.ts";
import { measureMemory } from "./streams-memory.ts";
import type { BenchOptions } from "./streams-place.ts";
import { measureResuming } from "./streams-resume.ts";
import { BadUsageError, wholeNumber } from "./usage.ts";

const USAGE = `usage: npm run bench -- streams [options]

  --store KIND     redis, valkey or mongo: one of its own on loopback, which ends with it (redis)
  --url URL        a store that is there already, which gets namespaces of this bench's own
  --subscribers N  of one run, and runs of one subscriber each (100)
  --rate N         events a second of each run (50)
  --seconds N      how long each latency is measured (5)
  --only PARTS     some of latency,history,resume,memory, with commas
  --json FILE      writes the figures there too

Latency is from before an append to the subscriber's loop body, in another process on the same machine. Takes about a minute.`;

const PARTS: Readonly<Record<string, (options: BenchOptions) => Promise<readonly Figure[]>>> = {
  latency: measureLatency,
  history: measureHistory,
  resume: measureResuming,
  memory: measureMemory,
};

const STORES = ["redis", "valkey", "mongo"] as const;

/** @returns the exit status: 1 where a figure that must be reached was not. */
export async function benchStreams(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: "string", default: "redis" },
      url: { type: "string" },
      subscribers: { type: "string", default: "100" },
      rate: { type: "string", default: "50" },
      seconds: { type: "string", default: "5" },
      only: { type: "string", default: Object.keys(PARTS).join(",") },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const parts = values.only.split(",").map((name) => {
    const part = PARTS[name];
    if (part === undefined) throw new BadUsageError(`--only takes ${Object.keys(PARTS).join(", ")}, not "${name}"`);
    return part;
  });
  const sizes = {
    subscribers: wholeNumber("subscribers", values.subscribers, 1),
    rate: wholeNumber("rate", values.rate, 1),
    seconds: wholeNumber("seconds", values.seconds, 1),
  };
  const server = values.url === undefined ? await startStore(values.store) : undefined;
  try {
    const url = values.url ?? server?.url ?? "";
    const on = server === undefined ? redact(url) : `${server.kind} ${server.version}`;
    const report = await measure(parts, { ...sizes, url }, { on, args });
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
    const misses = missed(report);
    if (misses.length > 0) console.error(`\nmissed: ${misses.map(({ name }) => name).join("; ")}`);
    return misses.length === 0 ? 0 : 1;
  } finally {
    await server?.close();
  }
}

async function startStore(name: string): Promise<Server> {
  const kind = STORES.find((store) => store === name);
  if (kind === undefined) throw new BadUsageError(`--store takes ${STORES.join(", ")}, not "${name}"`);
  const missing = await whyMissing(kind);
  if (missing !== undefined) throw new BadUsageError(`${missing}\nor name a store with --url`);
  // As operators run it; tests ask for more.
  return kind === "mongo" ? startServer(kind) : startServer(kind, { args: ["--appendfsync", "everysec"] });
}

async function measure(
  parts: readonly (typeof PARTS)[string][],
  options: BenchOptions,
  { on, args }: { readonly on: string; readonly args: readonly string[] },
): Promise<Report> {
  const startedAt = new Date();
  const where = machine();
  console.log(`run streams on ${on}; ${where}; ${startedAt.toISOString()}\n`);
  const figures: Figure[] = [];
  for (const part of parts) {
    const found = await part(options);
    console.log(`${table(found)}\n`);
    figures.push(...found);
  }
  const seconds = (Date.now() - startedAt.getTime()) / 1_000;
  console.log(`${Math.round(seconds)} s`);
  const command = ["npm run bench -- streams", ...args.map(redact)].join(" ");
  return { bench: "streams", command, startedAt: startedAt.toISOString(), seconds, machine: where, on, figures };
}
