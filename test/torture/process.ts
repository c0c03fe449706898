import { type App, createApp } from "@intermodal/core";
import { APP, SETTINGS, type Settings } from "./contracts.ts";

/** What this process was told. It ends with the one that started it, however that one ends. */
export function settings(): Settings {
  const text = process.env[SETTINGS];
  if (text === undefined) throw new Error(`${SETTINGS} is not set: the processes of a run are started by it`);
  process.on("disconnect", () => process.exit(1));
  return JSON.parse(text) as Settings;
}

/** An app as an application makes one: by URLs, with the defaults. */
export async function appOf({
  url,
  namespace,
  leaseMs,
}: Pick<Settings, "url" | "namespace" | "leaseMs">): Promise<App> {
  const adapters = leaseMs === undefined ? [] : [(await import("@intermodal/adapter-nats")).nats({ leaseMs })];
  return createApp({
    name: APP,
    namespace,
    adapters,
    commands: url,
    events: url,
    state: "memory:",
    streams: "memory:",
  });
}
