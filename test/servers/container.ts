import type { ContainerRuntimeClient } from "testcontainers";
import { GenericContainer, getContainerRuntimeClient, type WaitStrategy } from "testcontainers";
import { freePort } from "./ports.ts";
import { beside, type Recipe, type Site } from "./recipe.ts";
import type { Server } from "./server.ts";
import { onFreePort, startFailed, untilAnswers } from "./starting.ts";

/** The server's folder in its container. */
const DIR = "/intermodal";
const STOP_S = 30;

/** Starts a server in a container of its own, with a port on this machine's loopback. The library ends it with this process. */
export function startContainer(recipe: Recipe, image: string, program: string): Promise<Server> {
  return onFreePort(async () => {
    const ports = await Promise.all(Array.from({ length: recipe.morePorts }, freePort));
    const site: Site = { host: "0.0.0.0", port: await freePort(), ports, dir: DIR, program };
    const container = new ServerContainer(recipe, image, site);
    const client = await getContainerRuntimeClient();
    try {
      await container.start();
      return new DockerServer(recipe, site, client, container);
    } catch (error) {
      const words = await container.remove(client);
      throw startFailed(recipe, site.port, words, error);
    }
  });
}

class ServerContainer extends GenericContainer {
  version = "";
  id: string | undefined;
  readonly #port: number;
  #words: string | undefined;

  constructor(recipe: Recipe, image: string, site: Site) {
    super(image);
    this.#port = site.port;
    const [program, ...args] = recipe.command(site);
    // The empty file makes the folder where there is no other.
    const files = Object.entries({ ...recipe.files(site), log: "" });
    this.withUser("root")
      .withEntrypoint([program])
      .withCommand(args)
      .withEnvironment(recipe.environment(site))
      .withCopyContentToContainer(files.map(([name, content]) => ({ content, target: `${DIR}/${name}` })))
      .withExposedPorts({ container: site.port, host: site.port })
      .withWaitStrategy(
        new Ready(async (container) => {
          try {
            this.version = await untilAnswers(recipe, site.port, () => isRunning(container));
          } catch (error) {
            // While it is still there: the library removes it then.
            this.#words = await lastWords(container);
            throw error;
          }
        }),
      );
  }

  protected override async beforeContainerCreated(): Promise<void> {
    // The library would have it listen on all of this machine's addresses.
    const binding = { HostIp: "127.0.0.1", HostPort: String(this.#port) };
    this.hostConfig.PortBindings = { [`${this.#port}/tcp`]: [binding] };
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.id = id;
  }

  /** Removes it, wherever its start failed. @returns what it said last. */
  async remove(client: ContainerRuntimeClient): Promise<string> {
    if (this.id === undefined) return "";
    const container = client.container.getById(this.id);
    this.#words ??= await lastWords(container);
    await removeContainer(container);
    return this.#words;
  }
}

type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

class Ready implements WaitStrategy {
  readonly waitUntilReady: (container: Container) => Promise<void>;

  constructor(waitUntilReady: (container: Container) => Promise<void>) {
    this.waitUntilReady = waitUntilReady;
  }

  withStartupTimeout(): this {
    return this;
  }

  isStartupTimeoutSet(): boolean {
    return false;
  }

  getStartupTimeout(): number {
    return 0;
  }
}

class DockerServer implements Server {
  readonly restartable = true;
  readonly kind;
  readonly port: number;
  readonly url: string;
  readonly #recipe: Recipe;
  readonly #site: Site;
  readonly #client: ContainerRuntimeClient;
  readonly #container: Container;
  #version: string;

  constructor(recipe: Recipe, site: Site, client: ContainerRuntimeClient, { id, version }: ServerContainer) {
    this.kind = recipe.kind;
    this.port = site.port;
    this.url = recipe.url(site.port);
    this.#recipe = recipe;
    this.#site = site;
    this.#client = client;
    this.#container = client.container.getById(id ?? "");
    this.#version = version;
  }

  get version() {
    return this.#version;
  }

  async start(): Promise<void> {
    await this.#container.start();
    this.#version = await untilAnswers(this.#recipe, this.port, () => isRunning(this.#container));
  }

  async stop(): Promise<void> {
    await this.unfreeze();
    await this.#whileRunning(() => this.#container.stop({ t: STOP_S }));
  }

  async kill(): Promise<void> {
    await this.unfreeze();
    await this.#whileRunning(() => this.#container.kill());
    await this.#container.wait();
  }

  async freeze(): Promise<void> {
    await this.#container.pause();
  }

  async unfreeze(): Promise<void> {
    if ((await this.#container.inspect()).State.Paused) await this.#container.unpause();
  }

  async close(): Promise<void> {
    await removeContainer(this.#container);
  }

  async run(tool: string, ...args: readonly string[]): Promise<string> {
    const env = Object.entries(this.#recipe.environment(this.#site)).map(([name, value]) => `${name}=${value}`);
    const command = ["env", ...env, beside(this.#site.program, tool), ...args];
    const { output, exitCode } = await this.#client.container.exec(this.#container, command);
    if (exitCode !== 0) throw new Error(`${tool} failed (${exitCode}): ${output}`);
    return output;
  }

  async #whileRunning(end: () => Promise<unknown>): Promise<void> {
    if (await isRunning(this.#container)) await end();
  }
}

async function isRunning(container: Container): Promise<boolean> {
  return (await container.inspect()).State.Running;
}

/** Also one that is gone already. */
async function removeContainer(container: Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error;
  }
}

async function lastWords(container: Container): Promise<string> {
  const words = await container.logs({ stdout: true, stderr: true, tail: 20 });
  // Each piece comes after a header of eight bytes.
  return words
    .toString()
    .replace(/[^ -~\n]/g, "")
    .trim();
}
