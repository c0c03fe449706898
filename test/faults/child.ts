import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SETTINGS } from "./parent.ts";

/** How much of what it said last is kept. */
const KEPT_CHARACTERS = 4_000;

/** A process that a test has started, whose script tells it what it does. */
export class Child<Told> {
  /** What it has told, with the time it arrived here. */
  readonly told: (Told & { readonly at: number })[] = [];
  /** Resolves with its exit status, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly pid: number;
  isOver = false;
  /** What it said last. */
  output = "";
  readonly #process: ChildProcess;

  /** @param settings what `settings()` gives to the script. */
  constructor(script: URL, settings: unknown) {
    const child = fork(fileURLToPath(script), {
      execArgv: ["--conditions=@intermodal/source"],
      env: { ...environment(), [SETTINGS]: JSON.stringify(settings) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#process = child;
    this.pid = child.pid ?? -1;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        this.output = (this.output + String(chunk)).slice(-KEPT_CHARACTERS);
      });
    }
    child.on("message", (told: Told) => this.told.push({ ...told, at: performance.now() }));
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.output += error.message;
        resolve(-1);
      });
      // Not "exit": what it told last may still be on its way then.
      child.once("close", (status, signal) => resolve(signal ?? status ?? -1));
    });
    void this.ended.then(() => {
      this.isOver = true;
    });
  }

  /** Resolves when it has told something of the kind. @throws what it said, when it ends before. */
  async until(isIt: (told: Told) => boolean): Promise<void> {
    while (!this.told.some(isIt)) {
      if (this.isOver) throw new Error(`the process has ended: ${this.output}`);
      await Promise.race([new Promise((resolve) => this.#process.once("message", resolve)), this.ended]);
    }
  }

  /** With -9. Resolves when it has ended. */
  async kill(): Promise<void> {
    if (!this.isOver) this.#process.kill("SIGKILL");
    await this.ended;
  }
}

/** Without what configures an app, or the Node options of whoever runs the tests. */
function environment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^(INTERMODAL_|NODE_(?!COMPILE_CACHE)|VITEST)/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
