import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { freePort } from "./ports.ts";
import { ProcessGroup, run } from "./processes.ts";
import { beside, type Recipe, type Site } from "./recipe.ts";
import type { Server } from "./server.ts";
import { onFreePort, startFailed, untilAnswers } from "./starting.ts";

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
export function startLocal(recipe: Recipe, program: Program): Promise<Server> {
  return onFreePort(async () => {
    const server = await LocalServer.create(recipe, program);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  });
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
    try {
      this.#version = await untilAnswers(this.#recipe, this.port, () => this.#group.running);
    } catch (error) {
      const words = await this.#group.lastWords();
      await this.#group.kill();
      throw startFailed(this.#recipe, this.port, words, error);
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

  async unfreeze(): Promise<void> {
    this.#group.unfreeze();
  }

  close(): Promise<void> {
    return this.#group.close();
  }

  run(tool: string, ...args: readonly string[]): Promise<string> {
    const path = beside(this.#site.program, tool);
    return run(this.#program.enter([path, ...args]), this.#recipe.environment(this.#site));
  }
}
