import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where Debian's packages come from. */
export interface Archive {
  readonly mirror: string;
  readonly keyring: string;
}

export const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DEFAULT_MIRROR = "http://deb.debian.org/debian";

/** The mirror that this machine's own apt is configured with where it is a Debian's, else Debian's own. */
export async function archive(): Promise<Archive> {
  const release = await text("/etc/os-release");
  const isDebian = /^ID="?debian"?$/m.test(release);
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1];
  const mirror = isDebian ? await configuredMirror("/etc/apt", codename) : undefined;
  return { mirror: mirror ?? DEFAULT_MIRROR, keyring: KEYRING };
}

/** @param suite What a source of the system itself is for; other sources are somebody else's packages. */
export async function configuredMirror(folder: string, suite = "sid"): Promise<string | undefined> {
  const parts = await readdir(join(folder, "sources.list.d")).catch(() => []);
  const files = ["sources.list", ...parts.sort().map((name) => join("sources.list.d", name))];
  for (const file of files) {
    const contents = await text(join(folder, file));
    for (const source of file.endsWith(".sources") ? stanzas(contents) : lines(contents)) {
      if (!source.suites.includes(suite) || !source.components.includes("main")) continue;
      const uri = source.uri.startsWith("mirror+file:") ? await firstOf(source.uri) : source.uri;
      if (/^https?:/.test(uri)) return uri.replace(/\/+$/, "");
    }
  }
  return undefined;
}

interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** `deb [options] uri suite component …` */
function lines(contents: string): Source[] {
  return contents.split("\n").flatMap((line) => {
    const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)/.exec(line) ?? [];
    return uri && suite && components ? [{ uri, suites: [suite], components: words(components) }] : [];
  });
}

/** Paragraphs of `Field: values`, continued on lines that begin with a space. */
function stanzas(contents: string): Source[] {
  const paragraphs = contents.replace(/^#.*\n/gm, "").split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const field = (name: string) =>
      words(new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, "im").exec(paragraph)?.[1] ?? "");
    if (!field("Types").includes("deb") || field("Enabled")[0] === "no") return [];
    return field("URIs").map((uri) => ({ uri, suites: field("Suites"), components: field("Components") }));
  });
}

async function firstOf(list: string): Promise<string> {
  const contents = await text(list.replace(/^mirror\+file:(\/\/)?/, ""));
  return contents.split("\n").flatMap((line) => /^\s*(https?:\S+)/.exec(line)?.[1] ?? [])[0] ?? "";
}

function words(line: string): string[] {
  return line.trim().split(/\s+/);
}

function text(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
