import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Handlings } from "./book.ts";
import { Child } from "./child.ts";
import type { Settings } from "./contracts.ts";
import { LedgerReader } from "./ledger.ts";

/** How long a consumer may take to end when it is asked to. */
const STOP_MS = 35_000;

/** Processes that share messages: the workers of the queue, or the replicas of a listener. */
export class Group {
  readonly name: string;
  readonly handlings = new Handlings();
  /** When each was killed, by number. */
  readonly kills = new Map<number, number>();
  readonly #settings: (ledger: string) => Settings;
  readonly #folder: string;
  readonly #members: { readonly number: number; readonly child: Child; readonly ledger: LedgerReader }[] = [];

  #closed = false;

  constructor(name: string, folder: string, settings: (ledger: string) => Settings) {
    this.name = name;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** Adds a process. Resolves when it consumes. */
  async add(): Promise<void> {
    if (this.#closed) throw new Error(`${this.name}: the run is over`);
    const number = this.#members.length;
    const name = `${this.name} ${number + 1}`;
    const path = join(this.#folder, `${this.name}-${number}`);
    const ledger = new LedgerReader(path);
    const child = new Child("consumer", name, this.#settings(path));
    this.#members.push({ number, child, ledger });
    await child.ready;
  }

  /** Kills one of those that consume with -9, and adds another. @param choice which, from 0 up to but without 1. */
  async replace(choice: number): Promise<void> {
    const consuming = this.#running.filter(({ child }) => child.isReady);
    const victim = consuming[Math.floor(choice * consuming.length)];
    if (victim === undefined) {
      await Promise.race(this.#running.map(({ child }) => child.ready));
      return this.replace(choice);
    }
    const killed = victim.child.kill();
    this.kills.set(victim.number, Date.now());
    await killed;
    await this.add();
  }

  /** Reads what was noted since the last time. @returns how many notes. */
  read(): number {
    let count = 0;
    for (const { number, ledger } of this.#members) {
      for (const entry of ledger.read()) {
        this.handlings.add(entry, number);
        count++;
      }
    }
    return count;
  }

  get #running() {
    return this.#members.filter(({ number }) => !this.kills.has(number));
  }

  /** Those that ended although nobody killed them. */
  get crashed(): readonly Child[] {
    return this.#running.map(({ child }) => child).filter(({ hasEnded }) => hasEnded);
  }

  /** What each that runs said last. */
  get outputs(): readonly string[] {
    return this.#running
      .filter(({ child }) => child.output !== "")
      .map(({ child }) => `${child.name} said: ${child.output}`);
  }

  /** How many messages each process handled. */
  get shares(): readonly number[] {
    const shares = this.#members.map(() => 0);
    for (const list of this.handlings.byIndex.values()) {
      for (const { process } of list) shares[process] = (shares[process] ?? 0) + 1;
    }
    return shares;
  }

  /** Asks all to end in an orderly way. @throws where one does not. */
  async stop(): Promise<void> {
    const running = this.#members.map(({ child }) => child).filter(({ hasEnded }) => !hasEnded);
    for (const child of running) child.stop();
    const patience = new AbortController();
    const limit = sleep(STOP_MS, "still running" as const, { signal: patience.signal }).catch(() => undefined);
    for (const child of running) {
      const how = await Promise.race([child.ended, limit]);
      if (how !== 0) throw new Error(`${child.name}, asked to stop, ended with: ${how}. ${child.output}`);
    }
    patience.abort();
  }

  /** Ends all, whatever they do. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#members.map(({ child }) => child.kill()));
    for (const { ledger } of this.#members) ledger.close();
  }
}
