import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SETTINGS, type Settings } from "./contracts.ts";

/** How much of what it said last is kept. */
const KEPT_CHARACTERS = 4_000;

/** A process of a run. */
export class Child {
  readonly name: string;
  /** Resolves when it consumes; rejects when it ended before. */
  readonly ready: Promise<void>;
  /** Resolves with its exit status, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What it said last. */
  output = "";
  isReady = false;
  hasEnded = false;
  readonly #process: ChildProcess;

  constructor(script: "consumer" | "producer", name: string, settings: Settings) {
    this.name = name;
    const child = fork(fileURLToPath(new URL(`${script}.ts`, import.meta.url)), {
      execArgv: ["--conditions=@intermodal/source"],
      env: { ...environment(), [SETTINGS]: JSON.stringify(settings) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        this.output = (this.output + String(chunk)).slice(-KEPT_CHARACTERS);
      });
    }
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.output += error.message;
        resolve(-1);
      });
      child.once("close", (status, signal) => resolve(signal ?? status ?? -1));
    });
    void this.ended.then(() => {
      this.hasEnded = true;
    });
    this.ready = new Promise((resolve, reject) => {
      child.once("message", () => {
        this.isReady = true;
        resolve();
      });
      void this.ended.then((how) => reject(new Error(`${name} ended with ${how} before it was ready: ${this.output}`)));
    });
    this.ready.catch(() => {});
  }

  /** With -9: it does nothing more. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended;
  }

  /** Asks it to end in an orderly way. */
  stop(): void {
    this.#process.kill("SIGTERM");
  }
}

/** Without what configures an app, or the Node options of whoever runs the tests. */
function environment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^(INTERMODAL_|NODE_(?!COMPILE_CACHE)|VITEST)/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
