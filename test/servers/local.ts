import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./ports.ts";
import { ProcessGroup, run } from "./processes.ts";
import { beside, type Recipe, type Site } from "./recipe.ts";
import type { Server } from "./server.ts";

const START_MS = 60_000;
const POLL_MS = 10;

/** A server's program on this machine, and the file system that it runs in. */
export interface Program {
  /** The folder that is `/` to it. */
  readonly root: string;
  /** As seen from that root. */
  readonly path: string;
  /** The folder for what is temporary, as seen from that root. */
  readonly temporary: string;
  /** Makes of a command line in that root one of this machine. */
  enter(argv: readonly [string, ...string[]]): readonly [string, ...string[]];
}

/** Starts a server on a free port of loopback. It ends with this process at the latest, however that ends. */
export async function startLocal(recipe: Recipe, program: Program): Promise<Server> {
  for (let tries = 1; ; tries++) {
    const server = await LocalServer.create(recipe, program);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      // Somebody else was quicker to take the port.
      if (tries === 5 || !/in use|eaddrinuse/i.test(String(error))) throw error;
    }
  }
}

class LocalServer implements Server {
  readonly restartable = true;
  readonly #recipe: Recipe;
  readonly #program: Program;
  readonly #site: Site;
  readonly #group: ProcessGroup;
  #version = "";

  static async create(recipe: Recipe, program: Program): Promise<LocalServer> {
    const parent = join(program.root, program.temporary);
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, `intermodal-${recipe.kind}-`));
    const group = new ProcessGroup(folder);
    const site: Site = {
      host: "127.0.0.1",
      port: await freePort(),
      ports: await Promise.all(Array.from({ length: recipe.morePorts }, freePort)),
      dir: `/${relative(program.root, folder)}`,
      program: program.path,
    };
    for (const [name, text] of Object.entries(recipe.files(site))) await writeFile(join(folder, name), text);
    return new LocalServer(recipe, program, site, group);
  }

  private constructor(recipe: Recipe, program: Program, site: Site, group: ProcessGroup) {
    this.#recipe = recipe;
    this.#program = program;
    this.#site = site;
    this.#group = group;
  }

  get kind() {
    return this.#recipe.kind;
  }

  get version() {
    return this.#version;
  }

  get port() {
    return this.#site.port;
  }

  get url() {
    return this.#recipe.url(this.port);
  }

  async start(): Promise<void> {
    this.#group.start(this.#program.enter(this.#recipe.command(this.#site)), this.#recipe.environment(this.#site));
    const deadline = performance.now() + START_MS;
    for (;;) {
      try {
        this.#version = await this.#recipe.probe(this.url);
        return;
      } catch (error) {
        const isUp = this.#group.running;
        if (!isUp || performance.now() > deadline) {
          throw await this.#failed(isUp ? `did not answer within ${START_MS / 1_000} s` : "ended", error);
        }
        await sleep(POLL_MS);
      }
    }
  }

  stop(): Promise<void> {
    return this.#group.stop();
  }

  kill(): Promise<void> {
    return this.#group.kill();
  }

  freeze(): Promise<void> {
    return this.#group.freeze();
  }

  unfreeze(): Promise<void> {
    return this.#group.unfreeze();
  }

  close(): Promise<void> {
    return this.#group.close();
  }

  run(tool: string, ...args: readonly string[]): Promise<string> {
    const path = beside(this.#site.program, tool);
    return run(this.#program.enter([path, ...args]), this.#recipe.environment(this.#site));
  }

  async #failed(what: string, cause: unknown): Promise<Error> {
    const words = await this.#group.lastWords();
    await this.#group.kill();
    return new Error(`${this.kind} was started on port ${this.port} and ${what}. It said: ${words}`, { cause });
  }
}
