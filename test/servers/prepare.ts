// Fetches or makes what the named servers need, so that no test has to wait for it: node test/servers/prepare.ts nats rabbit@3.10 …
import { forgetFailures } from "./cache.ts";
import { KINDS, type ServerKind, whyMissing } from "./index.ts";

const isKind = (name: string | undefined): name is ServerKind => KINDS.some((kind) => kind === name);

await forgetFailures();
for (const wanted of process.argv.length > 2 ? process.argv.slice(2) : KINDS) {
  const [kind, version] = wanted.split("@");
  if (!isKind(kind)) throw new Error(`there is no server "${wanted}": ${KINDS.join(", ")}, with or without @version`);
  const started = performance.now();
  const missing = await whyMissing(kind, { version });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  process.stderr.write(`servers: ${missing ?? `${wanted} is ready`} (${seconds} s)\n`);
}
