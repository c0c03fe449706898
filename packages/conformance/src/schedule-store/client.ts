import {
  isIntermodalError,
  type Page,
  type PageOptions,
  type ScheduleDefinition,
  type ScheduleDraft,
  type ScheduleOutcome,
  type ScheduleRecord,
  type ScheduleStore,
} from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";

/** Declares a case of this port; `client` is the first client. */
export function scheduleCase(
  name: string,
  guarantees: readonly string[],
  title: string,
  run: (t: CaseContext, client: Client) => Promise<void>,
  needs?: readonly FaultName[],
): ConformanceCase {
  return {
    id: `schedule-store/${name}`,
    subject: "scheduleStore",
    guarantees,
    title,
    ...(needs && { needs }),
    run: async (t) => run(t, await openClient(t)),
  };
}

/** Another client's store. */
export async function openClient(t: CaseContext, options?: { readonly namespace?: string }): Promise<Client> {
  const { scheduleStore } = await t.open(options);
  assert(scheduleStore !== undefined, "the adapter has a schedule store");
  return new Client(scheduleStore);
}

let revisions = 0;

/** What is written of a schedule, under a revision of its own. */
export function draft(of: Partial<ScheduleDraft> = {}): ScheduleDraft {
  revisions++;
  return { revision: `r${revisions}`, definition: definition(), state: "running", fires: 0, ...of };
}

export function definition(of: Partial<ScheduleDefinition> = {}): ScheduleDefinition {
  return {
    type: "conformance.task",
    taskVersion: "1.0",
    queue: "default",
    retentionMs: 3_600_000,
    input: { of: "a schedule" },
    timing: { cron: "0 3 * * *", timezone: "Europe/Berlin" },
    enabled: true,
    missed: "latest",
    overlap: "allow",
    ...of,
  };
}

/** The port's batch methods, one item at a time. */
export class Client {
  readonly port: ScheduleStore;

  constructor(port: ScheduleStore) {
    this.port = port;
  }

  /** The time by the store's clock. */
  async now(): Promise<number> {
    return (await this.port.get([])).now;
  }

  async get(name: string): Promise<ScheduleRecord | undefined> {
    return only((await this.port.get([name])).schedules);
  }

  async schedule(name: string): Promise<ScheduleRecord> {
    const found = await this.get(name);
    assert(found !== undefined, `there is a schedule ${name}`);
    return found;
  }

  async put(name: string, expected: string | undefined, schedule: ScheduleDraft): Promise<ScheduleOutcome> {
    return only(await this.port.put([{ name, expected, schedule }]));
  }

  /** A write that has to succeed: of a schedule that is not there yet, or of the given one. */
  async write(name: string, of: Partial<ScheduleDraft> = {}, on?: ScheduleRecord): Promise<ScheduleRecord> {
    const outcome = await this.put(name, on?.revision, draft(of));
    assert(outcome.written, `${name} is written`);
    return outcome.schedule;
  }

  /** All pages of `list`, each at most `limit` long. */
  async all(limit?: number): Promise<readonly ScheduleRecord[]> {
    return allPages((options) => this.port.list(options), limit);
  }

  /** All pages of `due`, each at most `limit` long. */
  async due(limit?: number): Promise<readonly ScheduleRecord[]> {
    return allPages((options) => this.port.due(options), limit);
  }
}

async function allPages(
  read: (options: PageOptions) => Promise<Page<ScheduleRecord>>,
  limit: number | undefined,
): Promise<readonly ScheduleRecord[]> {
  const found: ScheduleRecord[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await read({ limit, cursor });
    if (limit !== undefined) assert(items.length <= limit, `a page holds at most ${limit} schedules`);
    found.push(...items);
    cursor = next;
  } while (cursor !== undefined);
  return found;
}

export function namesOf(schedules: readonly ScheduleRecord[]): readonly string[] {
  return schedules.map(({ name }) => name);
}

/** The answer to a batch of one. */
export function only<T>(answers: readonly T[]): T {
  equal(answers.length, 1, "a batch of one has one answer");
  return answers[0] as T;
}

/** How long a client may take to be back after an outage. */
const BACK = { withinMs: 60_000 };

/** Repeats what rejects with `UNAVAILABLE`, as a caller would. */
export function persist(t: CaseContext, what: string, step: () => Promise<unknown>): Promise<void> {
  return t.until(
    what,
    () =>
      step().then(
        () => true,
        (error: unknown) => {
          if (isIntermodalError(error, "UNAVAILABLE")) return false;
          throw error;
        },
      ),
    BACK,
  );
}
