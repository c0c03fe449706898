import { type Discoverable, isDiscoverable } from "./registry.ts";

/**
 * Loads every module of a folder (not of its sub-folders) and collects what it exports by `defineHandler`, `defineListener` and `defineSchedule`, for
 * `app.register(...)`: `app.register(...(await discover(new URL("./tasks/", import.meta.url))))`.
 * @throws what a module throws while it loads.
 */
export async function discover(folder: URL): Promise<readonly Discoverable[]> {
  const { readdir } = await import("node:fs/promises");
  const names = (await readdir(folder)).filter(
    (name) => /\.(?:js|mjs|ts|mts)$/.test(name) && !/\.(?:test|spec|d)\.[cm]?[jt]s$/.test(name),
  );
  const found: Discoverable[] = [];
  for (const name of names.sort()) {
    const module = (await import(new URL(name, folder.href.endsWith("/") ? folder : `${folder.href}/`).href)) as Record<
      string,
      unknown
    >;
    found.push(...Object.values(module).filter(isDiscoverable));
  }
  return found;
}
