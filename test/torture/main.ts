// npm run torture -- nats|rabbit: see USAGE in options.ts.
import { writeFileSync } from "node:fs";
import { parseOptions, USAGE } from "./options.ts";
import { printed } from "./summary.ts";
import { torture } from "./torture.ts";

let parsed: ReturnType<typeof parseOptions>;
try {
  parsed = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
const { options, json } = parsed;
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

const { broker, seed, messages, kind, kills, restarts } = options;
console.log(
  `${broker}, seed ${seed}: ${messages} ${kind}, ${kills} kills of workers, ${restarts} restarts of the broker`,
);
try {
  const summary = await torture(options, { say: console.log, signal: interrupted.signal });
  if (json !== undefined) writeFileSync(json, JSON.stringify(summary, null, 2));
  console.log(printed(summary));
  process.exit(summary.problems.length === 0 ? 0 : 1);
} catch (error) {
  console.error(interrupted.signal.aborted ? "interrupted" : (error as Error).message);
  process.exit(1);
}
