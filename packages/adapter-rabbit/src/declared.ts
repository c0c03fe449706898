import { type Clock, sleep } from "@intermodal/core/ports";
import { channelFailure, isNotFound } from "./errors.ts";
import type { Link } from "./link.ts";
import { anchor, type Declaration } from "./topology.ts";

/** Until every channel knows that a queue was deleted; they need some milliseconds, ten times as long on a busy machine. */
const GONE_MS = 1_000;

/** What this process has seen to exist since it was connected last, so that nothing is declared for each message. */
export class Declared {
  readonly #clock: Clock;
  #known = new Set<string>();
  /** Those too that turned out to be gone. */
  #seen = new Set<string>();
  readonly #declaring = new WeakMap<Link, Map<string, Promise<void>>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether all of these exist, as far as is known. */
  has(declarations: readonly Declaration[]): boolean {
    for (const { key } of declarations) if (!this.#known.has(key)) return false;
    return true;
  }

  /** Declares what is not known to exist. @throws `CONFIG_INVALID` for what exists otherwise; `UNAVAILABLE`. */
  async declare(link: Link, declarations: readonly Declaration[]): Promise<void> {
    for (const declaration of declarations) if (!this.#known.has(declaration.key)) await this.#join(link, declaration);
  }

  /** Declares all of these, known or not: they may have been deleted. @throws as {@link declare}. */
  async declareAgain(link: Link, declarations: readonly Declaration[]): Promise<void> {
    for (const declaration of declarations) await this.#join(link, declaration);
  }

  /** These turned out to be gone. */
  forget(declarations: readonly Declaration[]): void {
    for (const { key } of declarations) this.#known.delete(key);
  }

  /** A connection is lost, and perhaps the server with all that it had. */
  clear(): void {
    this.#known = new Set();
    this.#seen = new Set();
  }

  /** Many may want the same at once. A link that hangs must not hold up another. */
  #join(link: Link, declaration: Declaration): Promise<void> {
    const declaring = this.#declaring.get(link) ?? new Map<string, Promise<void>>();
    this.#declaring.set(link, declaring);
    const { key } = declaration;
    const joined = declaring.get(key) ?? this.#declare(link, declaration).finally(() => declaring.delete(key));
    declaring.set(key, joined);
    return joined;
  }

  async #declare(link: Link, { key, queues = [], declare }: Declaration): Promise<void> {
    const [known, seen] = [this.#known, this.#seen];
    try {
      const isNew = !(await exist(link, queues));
      if (isNew && seen.has(key) && link.consumesAgainByItself) await sleep(this.#clock, GONE_MS);
      await link.using(async (channel) => {
        await declare(channel);
        if (isNew) await anchor(channel);
      });
    } catch (error) {
      throw channelFailure(`declaring ${key}`, error);
    }
    known.add(key);
    seen.add(key);
  }
}

async function exist(link: Link, queues: readonly string[]): Promise<boolean> {
  try {
    await link.using(async (channel) => {
      for (const queue of queues) await channel.checkQueue(queue);
    });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
