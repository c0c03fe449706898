import { join } from "node:path";
import { cached, exists, inCache, type Making } from "../cache.ts";
import type { Program } from "../local.ts";
import type { Environment } from "../processes.ts";
import { archive } from "./archive.ts";
import { unpackPackages } from "./packages.ts";

/** A Debian of our own in a folder, made once. */
export interface RootPlan {
  readonly name: string;
  /** The first of them that has the packages and lets them be installed. */
  readonly suites: readonly [string, ...string[]];
  readonly packages: readonly string[];
  /** What else is done to it before it counts as made. */
  finish?(making: Making): Promise<void>;
}

// With mounts and shared memory of its own, which end with it: nothing stays on this machine.
const PRIVATELY = ["unshare", "--mount", "--propagation", "private", "--ipc", "/bin/sh", "-ec"] as const;
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH;";

// Without policy-rc.d the packages would start their servers; without /proc some can't be installed.
const MAKE = `${PATH}
tools=$0 keyring=$1 suite=$2 mirror=$3 root=$4; shift 4
DEBOOTSTRAP_DIR="$tools/usr/share/debootstrap" /bin/sh "$tools/usr/sbin/debootstrap" --variant=minbase --keyring="$keyring" "$suite" "$root" "$mirror"
mount -t proc proc "$root/proc"
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
printf '127.0.0.1 localhost\\n::1 localhost\\n' >"$root/etc/hosts"
mkdir -p "$root/etc/postgresql-common"
echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install --yes --no-install-recommends -o Acquire::Retries=3 -o Dpkg::Options::=--force-unsafe-io "$@"
chroot "$root" apt-get clean
`;
const ENTER = `${PATH} mount -t proc proc "$0/proc"; exec chroot "$0" "$@"`;

/** @returns the root's folder. @throws when it can't be made with any of its suites. */
export async function debianRoot({ name, suites, packages, finish }: RootPlan): Promise<string> {
  let failure: unknown;
  const folder = (suite: string) => `debian-${name}-${suite}`;
  for (const suite of suites) if (await exists(cached(folder(suite)))) return cached(folder(suite));
  for (const suite of suites) {
    try {
      return await inCache(folder(suite), `a Debian ${suite} with ${packages.join(", ")}`, async (making) => {
        await makeRoot(making, suite, packages);
        await finish?.(making);
      });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

export function inRoot(root: string, path: string): Program {
  return { root, path, temporary: "/tmp", enter: (argv) => [...PRIVATELY, ENTER, root, ...argv] };
}

/** Runs a script in a root that is being made. */
export function runInRoot(
  { made, run }: Making,
  script: string,
  args: readonly string[],
  environment: Environment = {},
): Promise<void> {
  return run([...PRIVATELY, ENTER, made, "/bin/sh", "-ec", script, "script", ...args], environment);
}

async function makeRoot(making: Making, suite: string, packages: readonly string[]): Promise<void> {
  const from = await archive();
  const tools = join(making.scratch, "tools");
  await unpackPackages(making, from, "sid", ["debootstrap"], tools);
  await making.run([...PRIVATELY, MAKE, tools, from.keyring, suite, from.mirror, making.made, ...packages]);
}
