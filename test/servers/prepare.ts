// Fetches or makes what the named servers need, so that no test has to wait for it: node test/servers/prepare.ts nats rabbit@3.10 …
import { forgetFailures } from "./cache.ts";
import { whyNoChromium } from "./chromium.ts";
import { KINDS, type ServerKind, whyMissing } from "./index.ts";

const isKind = (name: string | undefined): name is ServerKind => KINDS.some((kind) => kind === name);

async function prepare(wanted: string): Promise<void> {
  const [kind, version] = wanted.split("@");
  if (!isKind(kind) && wanted !== "chromium")
    throw new Error(`there is no server "${wanted}": ${KINDS.join(", ")}, with or without @version, and chromium`);
  const started = performance.now();
  const missing = isKind(kind) ? await whyMissing(kind, { version }) : await whyNoChromium();
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  process.stderr.write(`servers: ${missing ?? `${wanted} is ready`} (${seconds} s)\n`);
}

await forgetFailures();
// Beside each other: a good part of it is waiting for downloads. What several come with is made once.
await Promise.all((process.argv.length > 2 ? process.argv.slice(2) : [...KINDS, "chromium"]).map(prepare));
