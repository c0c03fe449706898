import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { App } from "@intermodal/core";
import { build } from "esbuild";
import { research } from "./contracts.ts";

/**
 * All that the browser asks for, as one `Request → Response` function: the page, `POST /runs`, and the events of runs under `/runs/:id/events`.
 */
export async function liveRunSite(app: App): Promise<(request: Request) => Promise<Response>> {
  const runEvents = app.runStreamHandler();
  const files = await pageFiles();
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (/^\/runs\/[^/]+\/events$/.test(pathname)) return runEvents(request);
    if (pathname === "/runs" && request.method === "POST") return startRun(app, request);
    const file = request.method === "GET" ? files.get(pathname) : undefined;
    if (file === undefined) return new Response("There is no such page.", { status: 404 });
    return new Response(file.text, { headers: { "content-type": file.type, "cache-control": "no-cache" } });
  };
}

async function startRun(app: App, request: Request): Promise<Response> {
  const asked = research.input.safeParse(await request.json().catch(() => undefined));
  if (!asked.success) return Response.json({ error: "that is no question, seed and pace" }, { status: 400 });
  try {
    const { id } = await app.submit(research, asked.data);
    return Response.json({ id }, { status: 202, headers: { location: `/runs/${encodeURIComponent(id)}/events` } });
  } catch (error) {
    console.error(`Live run: starting a run failed: ${(error as Error).message}`);
    const help = "it could not be handed to the store and the bus (the server's log says why); try again in a while";
    return Response.json({ error: help }, { status: 503, headers: { "retry-after": "2" } });
  }
}

async function pageFiles(): Promise<ReadonlyMap<string, { readonly text: string; readonly type: string }>> {
  const folder = new URL("page/", import.meta.url);
  const [html, css, script] = await Promise.all([
    readFile(new URL("page.html", folder), "utf8"),
    readFile(new URL("page.css", folder), "utf8"),
    bundle(new URL("page.ts", folder)),
  ]);
  return new Map([
    ["/", { text: html, type: "text/html; charset=utf-8" }],
    ["/page.css", { text: css, type: "text/css; charset=utf-8" }],
    ["/page.js", { text: script, type: "text/javascript; charset=utf-8" }],
  ]);
}

/** The page's modules and the client they import, as one script. */
async function bundle(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["@intermodal/source"],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
