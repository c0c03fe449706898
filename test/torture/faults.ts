import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../servers/index.ts";
import type { Fault, Moment } from "./plan.ts";

/** Does to a run what was planned, each thing as soon as its moment has come. */
export class Faults {
  /** When the broker was away. */
  readonly outages: { from: number; to: number }[] = [];
  kills = 0;
  restarts = 0;
  readonly #server: Server;
  readonly #replaceWorker: (choice: number) => Promise<void>;
  #left: readonly Fault[];
  #underWay = 0;
  #restarted: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** @param replaceWorker kills a worker with -9 and resolves when another one runs. */
  constructor(plan: readonly Fault[], server: Server, replaceWorker: (choice: number) => Promise<void>) {
    this.#left = plan;
    this.#server = server;
    this.#replaceWorker = replaceWorker;
  }

  /** Everything planned has happened. */
  get areOver(): boolean {
    return this.#left.length === 0 && this.#underWay === 0;
  }

  /** @throws what made a fault fail: a server that does not start again, a worker that does not. */
  beginWhereDue(isDue: (moment: Moment) => boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    const due = this.#left.filter(({ at }) => isDue(at));
    if (due.length === 0) return;
    this.#left = this.#left.filter((fault) => !due.includes(fault));
    for (const fault of due) void this.#do(fault);
  }

  /** Resolves when nothing is under way any more. Never rejects. */
  async settled(): Promise<void> {
    while (this.#underWay > 0) await sleep(10);
  }

  async #do(fault: Fault): Promise<void> {
    this.#underWay++;
    try {
      if (fault.kind === "kill") await this.#kill(fault);
      else await this.#restart(fault);
    } catch (error) {
      this.#failure ??= error;
    }
    this.#underWay--;
  }

  async #kill({ at, victim }: Extract<Fault, { kind: "kill" }>): Promise<void> {
    await sleep(at.thenMs);
    await this.#replaceWorker(victim);
    this.kills++;
  }

  /** One after the other. */
  #restart({ at, downMs }: Extract<Fault, { kind: "restart" }>): Promise<void> {
    this.#restarted = this.#restarted.then(async () => {
      await sleep(at.thenMs);
      const outage = { from: Date.now(), to: Number.POSITIVE_INFINITY };
      this.outages.push(outage);
      await this.#server.kill();
      await sleep(downMs);
      await this.#server.start();
      outage.to = Date.now();
      this.restarts++;
    });
    return this.#restarted;
  }
}
