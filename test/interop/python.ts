import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inCache } from "../servers/cache.ts";

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url));
const SCRIPT_LIMIT_MS = 30_000;

/** One line that says what to install; undefined where Python and its pip are there. */
export async function whyNoPython(): Promise<string | undefined> {
  try {
    await run("python3", ["-m", "pip", "--version"]);
    return undefined;
  } catch {
    return "Python is needed with its pip: install python3 and python3-pip (or python3-venv)";
  }
}

/** Installs the Python clients into the cache of the tests, once; the machine's own Python stays as it is. @returns the folder to import them from. */
export async function installClients(): Promise<string> {
  const requirements = await readFile(REQUIREMENTS, "utf8");
  const { stdout: version } = await run("python3", ["--version"]);
  const key = createHash("sha256").update(`${version}${requirements}`).digest("hex").slice(0, 16);
  return inCache(`python-${key}`, "clients for Python", ({ made, run }) => {
    const options = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore"];
    return run(["python3", "-m", "pip", "install", ...options, "--target", made, "--requirement", REQUIREMENTS]);
  });
}

/** Runs a script of this folder. @returns what it printed, as JSON. */
export async function runPython(script: string, packages: string, env: Record<string, string>): Promise<unknown> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await run("python3", [file], {
    env: { PATH: process.env.PATH, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1", ...env },
    timeout: SCRIPT_LIMIT_MS,
  });
  return JSON.parse(stdout);
}
