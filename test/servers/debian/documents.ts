import { fileURLToPath } from "node:url";
import { exists, type Making } from "../cache.ts";
import { which } from "../path.ts";
import { freePort } from "../ports.ts";
import { run } from "../processes.ts";
import type { Recipe } from "../recipe.ts";
import { debianRoot, runInRoot } from "./root.ts";

// No package holds a mongod: FerretDB speaks its protocol, over PostgreSQL with DocumentDB.
const PACKAGES = ["postgresql-18", "postgresql-18-cron", "postgresql-18-documentdb"];
const GO_PACKAGES = ["golang-go", "ca-certificates"];
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const SOURCE = fileURLToPath(new URL("../ferretdb", import.meta.url));
export const FERRETDB = "/usr/local/bin/ferretdb";

// What each server begins with a copy of, since making one takes seconds. Without fsync: what was written outlives a killed
// process all the same. Shared memory in files of the data folder, since others would outlive a killed process too.
const MAKE_TEMPLATE = `
cd /tmp
template=/var/lib/postgresql/template
as='setpriv --reuid=postgres --regid=postgres --clear-groups'
bin=/usr/lib/postgresql/18/bin
$as $bin/initdb --pgdata $template --auth trust --encoding UTF8 --no-locale --no-sync
cat >>$template/postgresql.conf <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
dynamic_shared_memory_type = mmap
max_connections = 200
fsync = off
jit = off
END
$as $bin/postgres -D $template -p "$1" &
postgres=$!
until $bin/pg_isready -q -h 127.0.0.1 -p "$1"; do kill -0 $postgres; sleep 0.2; done
$bin/psql -U postgres -h 127.0.0.1 -p "$1" -d postgres -c 'create extension documentdb cascade'
kill -INT $postgres
wait $postgres
`;

const START = `
dir=$1 listen=$2 port=$3
bin=/usr/lib/postgresql/18/bin
chmod 755 "$dir"
mkdir -p "$dir/state"
[ -d "$dir/data" ] || { cp -a /var/lib/postgresql/template "$dir/copy" && mv "$dir/copy" "$dir/data"; }
# Left by a crash; its process is gone, but another may have its number by now.
rm -f "$dir/data/postmaster.pid"
setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D "$dir/data" -p "$port" &
postgres=$!
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do kill -0 $postgres || exit 1; sleep 0.05; done
${FERRETDB} "postgres://postgres@127.0.0.1:$port/postgres" "$listen" "$dir/state" &
ferretdb=$!
trap 'kill $ferretdb; wait $ferretdb; kill -INT $postgres; wait $postgres; exit' TERM
wait $ferretdb
`;

/** The root with all of it in it. */
export async function documentsRoot(): Promise<string> {
  const go = await hostGo();
  return debianRoot({
    name: "documents",
    suites: ["sid"],
    packages: go === undefined ? [...PACKAGES, ...GO_PACKAGES] : PACKAGES,
    async finish(making) {
      await buildFerretDb(making, go);
      await runInRoot(making, MAKE_TEMPLATE, [String(await freePort())]);
    },
  });
}

/** What runs there in the place of a mongod. */
export function overDocumentDb(recipe: Recipe): Recipe {
  return {
    ...recipe,
    morePorts: 1,
    command: ({ dir, host, port, ports }) => [
      "/bin/sh",
      "-c",
      START,
      "start",
      dir,
      `${host}:${port}`,
      String(ports[0]),
    ],
  };
}

/** This machine's Go, where it is new enough. */
async function hostGo(): Promise<string | undefined> {
  const go = await which("go");
  const version = go && /go1\.(\d+)/.exec(await run([go, "version"]))?.[1];
  return version && Number(version) >= 25 ? go : undefined;
}

async function buildFerretDb(making: Making, go: string | undefined): Promise<void> {
  const build = ["build", "-trimpath", "-buildvcs=false", "-o"];
  const environment = { ...inherited(), CGO_ENABLED: "0" };
  if (go !== undefined) {
    await making.run([go, "-C", SOURCE, ...build, `${making.made}${FERRETDB}`, "."], environment);
    return;
  }
  await making.run(["cp", "-r", SOURCE, `${making.made}/root/ferretdb`]);
  await trustAsHere(making);
  const own = { HOME: "/root", GOROOT: "", GOPATH: "", GOCACHE: "", GOMODCACHE: "", XDG_CACHE_HOME: "" };
  const script = 'go "$@"; rm -rf /root/go /root/.cache /root/ferretdb';
  await runInRoot(making, script, ["-C", "/root/ferretdb", ...build, FERRETDB, "."], { ...environment, ...own });
}

/** A root knows Debian's certificates only; this machine may need others to reach where modules come from. */
async function trustAsHere({ made, run }: Making): Promise<void> {
  if (await exists(CERTIFICATES)) await run(["cp", "-L", CERTIFICATES, `${made}${CERTIFICATES}`]);
}

/** Go is told by its surroundings where modules come from and how to get there. */
function inherited(): Record<string, string> {
  const matters = /^(GO|HOME$|XDG_|https?_proxy$|no_proxy$)/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value && matters.test(name) ? [[name, value]] : [])),
  );
}
