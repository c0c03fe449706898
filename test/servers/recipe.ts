import type { ServerKind } from "./server.ts";

/** How a server is run, wherever its program comes from. */
export interface Recipe {
  readonly kind: ServerKind;
  /** How many ports it needs besides its own. */
  readonly morePorts: number;
  /** Written into the server's folder: contents by name. */
  files(at: Site): Readonly<Record<string, string>>;
  command(at: Site): readonly [string, ...string[]];
  /** For the server and the tools that come with it. */
  environment(at: Site): Readonly<Record<string, string>>;
  /** Resolves to the server's version when it answers and does its work; rejects otherwise. */
  probe(url: string): Promise<string>;
  url(port: number): string;
}

/** Where one server is run. */
export interface Site {
  /** The address to listen on. */
  readonly host: string;
  readonly port: number;
  /** More free ports, as many as the recipe asks for. */
  readonly ports: readonly number[];
  /** The server's folder as the server sees it. */
  readonly dir: string;
  /** The server's program as it is called there; its tools are beside it. */
  readonly program: string;
}

/** A tool's path, from that of the program it comes with. */
export function beside(program: string, tool: string): string {
  return program.includes("/") ? program.replace(/[^/]*$/, tool) : tool;
}
