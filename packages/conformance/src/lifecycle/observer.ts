import type { App, RunEntry } from "@intermodal/core";
import { ACK, type DeadLetter, isTerminal, type StreamPage, type TaskRecord } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext } from "../case.ts";
import { probe } from "./contracts.ts";
import { type FullAdapter, RECOVERY_MS } from "./world.ts";

/** Looks at everything from outside: records, queue, streams, announcements. */
export class Observer {
  /** Ids of the external copies of `completed` and `failed`, each copy. */
  readonly announced: string[] = [];
  readonly #t: CaseContext;
  readonly #adapter: FullAdapter;

  constructor(t: CaseContext, adapter: FullAdapter) {
    this.#t = t;
    this.#adapter = adapter;
  }

  /** Listens for announcements from now on. */
  async listen(): Promise<void> {
    const options = { types: ["task.completed", "task.failed"], from: "new", concurrency: 10 } as const;
    await this.#adapter.eventBus.listen({ service: "observer", listener: "announcements" }, options, async ({ id }) => {
      this.announced.push(id);
      return ACK;
    });
  }

  async record(id: string): Promise<TaskRecord | undefined> {
    return (await this.#adapter.taskStateStore.get([id]))[0];
  }

  async records(): Promise<readonly TaskRecord[]> {
    return (await this.#adapter.taskStateStore.list({ limit: 1_000 })).items;
  }

  async deadLetters(queue = probe.queue): Promise<readonly DeadLetter[]> {
    return (await this.#adapter.commandBus.deadLetters.list(queue)).items;
  }

  /**
   * The tasks with dead letters. A task that was sent again has several messages, and whichever of them is seen after the end goes to the dead letters too; and a message whose holder
   * fails between putting it aside, or back, and letting go of it may be there twice. That one settles it once where nothing fails, cases of the bus check.
   */
  async deadTasks(): Promise<readonly string[]> {
    const ids = (await this.deadLetters()).map(({ id }) => id);
    return [...new Set(ids.map((id) => id.slice(0, id.indexOf(":"))))];
  }

  /** What has not come to rest; empty when all has ended and nothing is owed, held or on its way. */
  async unrest(queue = probe.queue): Promise<readonly string[]> {
    const found: string[] = [];
    for (const record of await this.records()) {
      if (!isTerminal(record.status)) found.push(`${record.id} is ${record.phase ?? record.status}`);
      if (record.duties.length > 0) found.push(`${record.id} owes ${record.duties.join(", ")}`);
      if (record.lease !== undefined) found.push(`${record.id} is held`);
    }
    const { ready, inFlight = 0, delayed = 0 } = await this.#adapter.commandBus.inspect(queue);
    if (ready + inFlight + delayed > 0) found.push(`queue: ${ready} ready, ${inFlight} in flight, ${delayed} delayed`);
    return found;
  }

  /** Waits until all has ended and nothing is owed, held or on its way. */
  async untilAtRest(withinMs = RECOVERY_MS): Promise<void> {
    let last: readonly string[] = [];
    const atRest = async () => {
      last = await this.unrest();
      return last.length === 0;
    };
    try {
      await this.#t.until("all comes to rest", atRest, { withinMs });
    } catch (error) {
      assert(last.length === 0, `${withinMs} ms later, not at rest: ${last.join("; ")}`);
      throw error;
    }
  }

  /** Checks that what has come to rest stays so. */
  async assertStays(forMs: number): Promise<void> {
    const before = await this.records();
    await this.#t.sleep(forMs);
    // Whole, so that a failure tells what has changed.
    equal(await this.records(), before, "records after the end");
    equal(await this.unrest(), [], "unrest after the end");
  }

  /** What the stream of a run holds. */
  async read({ streamId }: TaskRecord): Promise<StreamPage> {
    return this.#adapter.eventStream.read(streamId, { limit: 10_000 });
  }

  /** Checks the stream of a run: gapless, one terminal event, at its end. */
  async assertEndedStream(record: TaskRecord): Promise<void> {
    const { events, ended } = await this.read(record);
    equal(
      events.map(({ sequence }) => sequence),
      events.map((_, at) => at + 1),
      "sequences of the run's stream",
    );
    assertTerminal(events, record);
    assert(ended, "the run's stream has not ended");
  }

  /** Checks that each of these was announced under one id, and nothing else. */
  assertAnnounced(ids: readonly string[]): void {
    equal([...new Set(this.announced)].sort(), [...ids].sort(), "ids of announcements");
  }
}

const TERMINAL = ["lifecycle.completed", "lifecycle.failed"];

function assertTerminal(
  events: readonly { readonly event: string; readonly data: unknown }[],
  record: TaskRecord,
): void {
  const succeeded = record.status === "COMPLETED" || record.status === "COMPLETED_WITH_ERRORS";
  const name = succeeded ? "lifecycle.completed" : "lifecycle.failed";
  equal(
    events.map(({ event }) => event).filter((event) => TERMINAL.includes(event)),
    [name],
    "terminal events of the run",
  );
  equal(events.at(-1)?.event, name, "the last event of the run");
  equal(
    (events.at(-1)?.data as { status?: string })?.status,
    record.status,
    "the status that the terminal event tells",
  );
}

/** Follows a run to its end, on its own. */
export function follow(app: App, id: string): { readonly entries: RunEntry[]; ended(): boolean; failure(): unknown } {
  const entries: RunEntry[] = [];
  let ended = false;
  let failure: unknown;
  const following = async () => {
    for await (const entry of app.task(probe, id).stream()) entries.push(entry);
  };
  following().then(
    () => {
      ended = true;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  return { entries, ended: () => ended, failure: () => failure };
}
