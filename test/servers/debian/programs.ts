import { exists, inCache } from "../cache.ts";
import type { Program } from "../local.ts";
import { onThisMachine, which } from "../path.ts";
import type { ServerKind } from "../server.ts";
import { archive, KEYRING } from "./archive.ts";
import { documentsRoot, FERRETDB } from "./documents.ts";
import { unpackPackages } from "./packages.ts";
import { debianRoot, inRoot, type RootPlan } from "./root.ts";

const BROKERS: RootPlan = {
  name: "brokers",
  suites: ["sid", "trixie"],
  packages: ["nats-server", "rabbitmq-server", "redis-server", "valkey-server"],
};
const BROWSER: RootPlan = {
  name: "browser",
  suites: ["trixie", "sid"],
  // Without a font no text would be drawn.
  packages: ["chromium-headless-shell", "fonts-dejavu-core"],
};
const PATHS: Readonly<Record<ServerKind, string>> = {
  nats: "/usr/sbin/nats-server",
  rabbit: "/usr/lib/rabbitmq/bin/rabbitmq-server",
  redis: "/usr/bin/redis-server",
  valkey: "/usr/bin/valkey-server",
  mongo: FERRETDB,
};
/** The releases of Debian that have them. */
const OLDER: Readonly<Record<string, string>> = {
  "nats 2.10": "trixie",
  "nats 2.9": "bookworm",
  "rabbit 4.0": "trixie",
  "rabbit 3.10": "bookworm",
  "redis 7.0": "bookworm",
};
const NEEDED = ["apt-get", "chroot", "dpkg-deb", "unshare", "wget"];

/** Why this machine can't have a private Debian; undefined when it can. */
export async function whyNoDebian(): Promise<string | undefined> {
  if (process.platform !== "linux" || (await which("apt-get")) === undefined) return "this is no Debian or Ubuntu";
  if (process.getuid?.() !== 0) return "a private Debian can be made by root only";
  for (const name of NEEDED)
    if ((await which(name)) === undefined) return `a private Debian can't be made without ${name}`;
  if (!(await exists(KEYRING))) return "a private Debian can't be made without the package debian-archive-keyring";
  return undefined;
}

/** @returns undefined for a version that no release has. */
export async function debianProgram(kind: ServerKind, version?: string): Promise<Program | undefined> {
  if (version === undefined)
    return inRoot(await (kind === "mongo" ? documentsRoot() : debianRoot(BROKERS)), PATHS[kind]);
  const suite = OLDER[`${kind} ${version}`];
  if (suite === undefined) return undefined;
  if (kind === "nats") return natsOf(suite);
  const packages = [kind === "rabbit" ? "rabbitmq-server" : `${kind}-server`];
  return inRoot(await debianRoot({ name: kind, suites: [suite], packages }), PATHS[kind]);
}

/** A browser without a window. */
export async function debianChromium(): Promise<Program> {
  return inRoot(await debianRoot(BROWSER), "/usr/bin/chromium-headless-shell");
}

/** Needs nothing but itself, so no root either. */
async function natsOf(suite: string): Promise<Program> {
  const folder = await inCache(`nats-server-${suite}`, `Debian ${suite}'s nats-server`, async (making) =>
    unpackPackages(making, await archive(), suite, ["nats-server"], making.made),
  );
  return onThisMachine(`${folder}/usr/sbin/nats-server`);
}
