import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";

/** What browsers have and the language has not. No `process`, no `Buffer`, no `require`. */
const browserGlobals = {
  AbortController,
  AbortSignal,
  clearTimeout,
  crypto,
  Event,
  EventTarget,
  fetch,
  Headers,
  ReadableStream,
  Request,
  Response,
  setTimeout,
  structuredClone,
  TextDecoder,
  TextDecoderStream,
  TextEncoder,
  TransformStream,
  URL,
  URLSearchParams,
};

/** Fails where anything of Node is reached. */
export async function bundleForBrowser(entryPoint: string, project: string): Promise<string> {
  const result = await build({
    stdin: { contents: `export * from "${entryPoint}";`, resolveDir: project },
    bundle: true,
    platform: "browser",
    target: "es2023",
    format: "iife",
    globalName: "entry",
    minify: true,
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}

/** Runs the bundle where there is a browser's globals only. Returns the names that it exports. */
export function exportedInBrowser(code: string): string[] {
  const context: { entry?: object } = createContext({ ...browserGlobals });
  runInContext(code, context);
  return Object.keys(context.entry ?? {});
}
