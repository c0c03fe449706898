import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type App, isIntermodalError } from "@intermodal/core";
import type { Server } from "../servers/index.ts";
import { Sendings } from "./book.ts";
import { Child } from "./child.ts";
import type { Settings } from "./contracts.ts";
import { Faults } from "./faults.ts";
import { Group } from "./group.ts";
import { LedgerReader } from "./ledger.ts";
import type { TortureOptions } from "./options.ts";
import { type Findings, judge } from "./oracle.ts";
import { Place } from "./places.ts";
import { behaviourOf, failsForGood, planFaults } from "./plan.ts";

/** How often the notes are read. */
const LOOK_MS = 20;
/** How often the broker is asked for what stands in it, once that matters. */
const ASK_MS = 1_000;
const PROGRESS_MS = 2_000;
/** A run in which nothing moves for so long has failed. */
const STALLED_MS = 60_000;

export interface RunOptions {
  readonly options: TortureOptions;
  readonly server: Server;
  /** Looks into the dead letters and the queue. */
  readonly app: App;
  readonly folder: string;
  readonly common: Pick<Settings, "url" | "namespace">;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What waits for the groups, and what became of it. */
interface Member {
  readonly group: Group;
  readonly place: Place;
  dead: readonly number[];
}

/** Messages on their way through a broker while workers and the broker are killed. */
export class Run {
  readonly sendings = new Sendings();
  readonly faults: Faults;
  readonly #run: RunOptions;
  readonly #members: readonly Member[];
  readonly #startedAt = Date.now();
  #lastMove = Date.now();
  #lastTold = Date.now();

  constructor(run: RunOptions) {
    this.#run = run;
    const { options, folder, common } = run;
    const { seed, kind, messages, leaseMs } = options;
    const names = kind === "commands" ? ["worker"] : ["listener-a", "listener-b"];
    this.#members = names.map((name) => ({
      group: new Group(name, folder, (ledger) => ({ ...common, seed, kind, messages, leaseMs, ledger, group: name })),
      place: new Place(run.app, options, name),
      dead: [],
    }));
    this.faults = new Faults(planFaults(options), run.server, async (choice) => {
      // The same number chooses the group and, scaled up again, the process in it.
      const scaled = choice * this.#members.length;
      await this.#members[Math.floor(scaled)]?.group.replace(scaled % 1);
    });
  }

  /** Until every message has come to its end and every fault has happened. @throws what went wrong, with what is known then. */
  async toEnd(): Promise<void> {
    const { options, folder, common } = this.#run;
    const { processes, seed, kind, messages, leaseMs } = options;
    const path = join(folder, "producer");
    const notes = new LedgerReader(path);
    let producer: Child | undefined;
    try {
      await Promise.all(this.#members.flatMap(({ group }) => Array.from({ length: processes }, () => group.add())));
      producer = new Child("producer", "producer", {
        ...common,
        seed,
        kind,
        messages,
        leaseMs,
        ledger: path,
        group: "",
      });
      await this.#watch(producer, notes);
      for (const { group } of this.#members) await group.stop();
      this.#read(notes);
    } finally {
      await Promise.all([producer?.kill(), ...this.#members.map(({ group }) => group.close())]);
      await this.faults.settled();
      notes.close();
    }
  }

  get seconds(): number {
    return (Date.now() - this.#startedAt) / 1_000;
  }

  /** What is known of each group. */
  get groups(): readonly { readonly group: Group; readonly findings: Findings }[] {
    return this.#members.map((member) => ({ group: member.group, findings: this.#findings(member) }));
  }

  #findings({ group, dead }: Member): Findings {
    const { seed, messages } = this.#run.options;
    return judge({
      messages,
      acknowledged: this.sendings.acknowledged,
      unknown: this.sendings.unknown,
      handlings: group.handlings.byIndex,
      dead,
      kills: group.kills,
      outages: this.faults.outages,
      failsForGood: (index) => failsForGood(seed, index),
      failsAtFirst: (index) => behaviourOf(seed, index).failures > 0,
    });
  }

  async #watch(producer: Child, notes: LedgerReader): Promise<void> {
    let lastAsked = 0;
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal: this.#run.signal });
      this.#read(notes);
      this.faults.beginWhereDue(({ count, reaches }) => this.#count(count) >= reaches);
      this.#tell();
      await this.#lookForTrouble(producer);
      if (!producer.hasEnded || !this.faults.areOver || Date.now() - lastAsked < ASK_MS) continue;
      if (await this.#isAllOver()) return;
      lastAsked = Date.now();
    }
  }

  #read(notes: LedgerReader): void {
    const entries = notes.read();
    for (const entry of entries) this.sendings.add(entry);
    const count = this.#members.reduce((sum, { group }) => sum + group.read(), entries.length);
    if (count > 0) this.#lastMove = Date.now();
  }

  #count(count: "acknowledged" | "handled"): number {
    if (count === "acknowledged") return this.sendings.acknowledged.size;
    return Math.min(...this.#members.map(({ group }) => group.handlings.byIndex.size));
  }

  /** Every message has been handled or is in the dead letters, and the broker has nothing left. */
  async #isAllOver(): Promise<boolean> {
    try {
      for (const member of this.#members) {
        const { waiting } = await member.place.inspect();
        if (waiting > 0) return false;
        const before = member.dead.length;
        member.dead = await member.place.dead();
        if (member.dead.length !== before) this.#lastMove = Date.now();
        if (this.#findings(member).missing.length > 0) return false;
      }
      return true;
    } catch (error) {
      if (isIntermodalError(error, "UNAVAILABLE")) return false;
      throw error;
    }
  }

  #tell(): void {
    if (Date.now() - this.#lastTold < PROGRESS_MS) return;
    this.#lastTold = Date.now();
    const { kills, restarts } = this.faults;
    const [acknowledged, handled] = [this.#count("acknowledged"), this.#count("handled")];
    this.#run.say(
      `  ${this.seconds.toFixed(0)} s: ${acknowledged} acknowledged, ${handled} handled, ${kills} killed, ${restarts} restarts`,
    );
  }

  async #lookForTrouble(producer: Child): Promise<void> {
    if (producer.hasEnded && (await producer.ended) !== 0) throw new Error(`the producer failed: ${producer.output}`);
    for (const { group } of this.#members) {
      for (const { name, output } of group.crashed) throw new Error(`${name} ended by itself: ${output}`);
    }
    if (Date.now() - this.#lastMove < STALLED_MS) return;
    throw new Error([`nothing has moved for ${STALLED_MS / 1_000} s`, ...(await this.#situation(producer))].join("\n"));
  }

  async #situation(producer: Child): Promise<readonly string[]> {
    const lines = [`the producer ${producer.hasEnded ? "has ended" : `said: ${producer.output}`}`];
    for (const { group, place } of this.#members) {
      const told = await place.inspect().then(({ told }) => JSON.stringify(told), String);
      lines.push(`${group.name}: ${told}`, ...group.outputs);
    }
    return lines;
  }
}
