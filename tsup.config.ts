import { readFileSync } from "node:fs";
import { defineConfig, type Options } from "tsup";

interface Manifest {
  exports: Record<string, string | Record<string, string>>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** The entry points of a package are what its `exports` name, so nothing is listed twice. */
function build(folder: string): Options {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Manifest;
  const entry: Record<string, string> = {};
  for (const target of Object.values(manifest.exports)) {
    const source = typeof target === "string" ? undefined : target["@intermodal/source"];
    if (source === undefined) continue;
    entry[source.replace(/^\.\/src\//, "").replace(/\.ts$/, "")] = `${folder}/${source.slice(2)}`;
  }
  return {
    name: folder,
    entry,
    outDir: `${folder}/dist`,
    format: "esm",
    platform: "node",
    target: "es2023",
    tsconfig: "tsconfig.build.json",
    dts: true,
    external: [/^@intermodal\//, ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })],
    removeNodeProtocol: false,
    // The sources are published beside the build, so the maps need not repeat them.
    sourcemap: true,
    esbuildOptions(options) {
      options.sourcesContent = false;
    },
    clean: true,
    silent: true,
  };
}

export default defineConfig(
  [
    "packages/core",
    "packages/conformance",
    "packages/adapter-nats",
    "packages/adapter-rabbit",
    "packages/store-redis",
    "packages/store-mongo",
  ].map(build),
);
