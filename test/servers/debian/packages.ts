import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Making } from "../cache.ts";
import type { Archive } from "./archive.ts";

/** Unpacks packages of a suite into a folder, without installing them; what they depend on is not fetched. */
export async function unpackPackages(
  { scratch, run }: Making,
  { mirror, keyring }: Archive,
  suite: string,
  names: readonly string[],
  into: string,
): Promise<void> {
  const folder = join(scratch, "apt");
  await mkdir(join(folder, "lists/partial"), { recursive: true });
  await writeFile(join(folder, "sources.list"), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(folder, "status"), "");
  // A state of its own: this machine's lists may be missing, old, or of another distribution.
  const settings = {
    "Dir::Etc::sourcelist": join(folder, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferences": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::State": folder,
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": folder,
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "APT::Update::Error-Mode": "any",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const apt = (...args: readonly string[]) =>
    run(["/bin/sh", "-c", 'cd "$0" && exec apt-get "$@"', folder, ...options, ...args]);
  await apt("update");
  await apt("download", ...names);
  await mkdir(into, { recursive: true });
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".deb"))) {
    await run(["dpkg-deb", "--extract", join(folder, file), into]);
  }
}
