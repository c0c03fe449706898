// npm run bench -- <name>: see USAGE.
import { isBadUsage } from "./usage.ts";

/** Each takes the arguments after its name, and resolves with the exit status. */
const BENCHES: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  streams: async () => (await import("./streams.ts")).benchStreams,
};

const USAGE = `usage: npm run bench -- <name> [options]

  streams   run streams over a real store: latency, connections, history, resuming, memory

npm run bench -- <name> --help says what it measures and with what options. The exit status is 1 where a figure that must be reached was not.`;

const [name, ...args] = process.argv.slice(2);
const load = name === undefined ? undefined : BENCHES[name];
if (load === undefined) {
  const isHelp = name === "--help" || name === "-h";
  (isHelp ? console.log : console.error)(
    name === undefined || isHelp ? USAGE : `there is no bench "${name}"\n\n${USAGE}`,
  );
  process.exit(isHelp ? 0 : 2);
}
try {
  const bench = await load();
  process.exit(await bench(args));
} catch (error) {
  if (!isBadUsage(error)) throw error;
  console.error(error.message);
  process.exit(2);
}
