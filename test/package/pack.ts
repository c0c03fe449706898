// Builds the packages, packs them as `npm publish` would, and installs the tarballs into an empty project.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export interface PackedPackage {
  name: string;
  tarball: string;
  /** What `exports` offers to importers, e.g. `@intermodal/core/ports`. */
  entryPoints: string[];
  /** What its users get with it, from elsewhere. */
  dependencies: string[];
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  exports: Record<string, unknown>;
}

export function npm(args: string[], cwd: string): string {
  const running = process.env.npm_execpath ?? "";
  const [command, first] = running.endsWith(".js") ? [process.execPath, [running]] : ["npm", []];
  return execFileSync(command, [...first, ...args, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd,
    encoding: "utf8",
    shell: process.platform === "win32" && first.length === 0,
  });
}

/** `npm test` has just built the packages and says so; anybody else gets a build of what is there now. */
export function build(): void {
  if (process.env.INTERMODAL_BUILT !== undefined) return;
  execFileSync(process.execPath, ["node_modules/tsup/dist/cli-default.js"], { cwd: root, stdio: "inherit" });
}

function packFolder(folder: string, into: string): string {
  const [packed] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", into], folder)) as {
    filename: string;
  }[];
  if (packed === undefined) throw new Error(`npm packed nothing in ${folder}`);
  return join(into, basename(packed.filename.replace(/^@([^/]+)\//, "$1-")));
}

export function pack(folder: string, into: string): PackedPackage {
  const {
    name,
    exports,
    dependencies = {},
  } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== "./package.json");
  return {
    name,
    tarball: packFolder(join(root, folder), into),
    entryPoints: subpaths.map((subpath) => name + subpath.slice(1)),
    dependencies: Object.keys(dependencies).filter((dependency) => !dependency.startsWith("@intermodal/")),
  };
}

/** What the packages expect their users to have: the vitest that the kit binds to, and the drivers. */
const PEERS = ["vitest", "@nats-io", "amqplib", "ioredis", "mongodb"];

/** A project that has the tarballs installed, and nothing else of this repository but {@link PEERS}. */
export function consumer(project: string, packages: PackedPackage[]): void {
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true }));
  // Packed too: an installation from a lock file leaves nothing in npm's cache that tells which versions there are.
  const dependencies = new Set(packages.flatMap((each) => each.dependencies));
  const tarballs = [
    ...[...dependencies].map((name) => packFolder(join(root, "node_modules", name), project)),
    ...packages.map(({ tarball }) => tarball),
  ];
  npm(["install", "--offline", "--ignore-scripts", "--legacy-peer-deps", ...tarballs], project);
  for (const peer of PEERS)
    symlinkSync(join(root, "node_modules", peer), join(project, "node_modules", peer), "junction");
}

/** The oldest Node that the packages support and the newest, from a private project beside this file. */
export function runtimes(): Record<"lowest" | "newest", string | undefined> {
  const source = join(import.meta.dirname, "runtimes");
  const cache = join(root, "node_modules/.cache/intermodal-runtimes");
  const lock = readFileSync(join(source, "package-lock.json"), "utf8");
  const installed = join(cache, "package-lock.json");
  if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
    console.log("Installing the oldest and the newest Node that the packages are tried on (once, some 100 MB).");
    const fresh = `${cache}-${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    for (const file of ["package.json", "package-lock.json"]) cpSync(join(source, file), join(fresh, file));
    npm(["ci"], fresh);
    renameSync(fresh, cache);
  }
  const find = (name: string) => {
    const file = join(cache, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(file) ? file : undefined;
  };
  return { lowest: find("node-lowest"), newest: find("node-newest") };
}
