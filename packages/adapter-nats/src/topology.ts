import { IntermodalError, type Logger } from "@intermodal/core/ports";
import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import type { JetStreamApi } from "./api.ts";
import { told } from "./api.ts";
import type { Connection } from "./connection.ts";
import { API, isRefusal } from "./errors.ts";
import type { Names } from "./names.ts";
import { DEDUPE_WINDOW_MS, type Settings } from "./options.ts";

export const MS = 1_000_000;
const WEEK_MS = 7 * 24 * 3_600_000;

/** What a stream must be, and what it is made with. */
interface Wanted {
  readonly name: string;
  readonly subjects: readonly string[];
  /** Where a stream that exists differs in these, it can't be used. */
  readonly fixed: Readonly<Partial<StreamConfig>>;
  /** Brought about in a stream that exists. */
  readonly kept: Readonly<Partial<StreamConfig>>;
  /** For a stream that is new; the operator may have set others since. */
  readonly initial: Readonly<Partial<StreamConfig>>;
}

/** The two streams of a namespace. */
export class Topology {
  readonly #api: JetStreamApi;
  readonly #connection: Connection;
  readonly #wanted: readonly [tasks: Wanted, events: Wanted];
  readonly #logger: Logger;
  #ensured: Promise<void> | undefined;
  #generation = -1;
  #tasks: StreamInfo | undefined;
  #events: StreamInfo | undefined;

  constructor(api: JetStreamApi, connection: Connection, names: Names, settings: Settings, logger: Logger) {
    this.#api = api;
    this.#connection = connection;
    this.#wanted = [wantedTasks(names, settings), wantedEvents(names, settings)];
    this.#logger = logger;
  }

  /** As the server last told it. */
  get tasks(): StreamInfo | undefined {
    return this.#tasks;
  }

  get events(): StreamInfo | undefined {
    return this.#events;
  }

  /** Whether the streams were there on this connection. */
  get isEnsured(): boolean {
    return this.#tasks !== undefined && this.#events !== undefined && this.#generation === this.#connection.generation;
  }

  /** Makes the streams where they are missing, and checks them: once per connection, and whenever one was found missing. */
  ensure(): Promise<void> {
    if (this.#ensured === undefined || this.#generation !== this.#connection.generation) {
      this.#generation = this.#connection.generation;
      const ensured = this.#ensure();
      this.#ensured = ensured;
      ensured.catch(() => {
        if (this.#ensured === ensured) this.#ensured = undefined;
      });
    }
    return this.#ensured;
  }

  /** Someone found a stream missing. */
  async ensureAgain(): Promise<void> {
    // All who find it missing at once share one look.
    if (this.#tasks !== undefined) {
      this.#tasks = undefined;
      this.#ensured = undefined;
    }
    await this.ensure();
  }

  async #ensure(): Promise<void> {
    const [tasks, events] = await Promise.all(this.#wanted.map((wanted) => this.#ensureStream(wanted)));
    // A connection made meanwhile raises the generation: what was found holds for it too.
    this.#generation = this.#connection.generation;
    this.#tasks = tasks;
    this.#events = events;
  }

  async #ensureStream(wanted: Wanted): Promise<StreamInfo> {
    const what = `stream ${wanted.name}`;
    const info = await told(what, this.#api.streamInfo(wanted.name));
    if (info !== undefined) return this.#reconcile(wanted, info);
    const config = {
      name: wanted.name,
      subjects: [...wanted.subjects],
      ...wanted.fixed,
      ...wanted.initial,
      ...wanted.kept,
    };
    try {
      return await this.#api.createStream(config);
    } catch (error) {
      if (!isRefusal(error, API.streamNameInUse)) return told(what, Promise.reject(error));
      // Somebody made it at the same moment.
      const made = await told(what, this.#api.streamInfo(wanted.name));
      if (made === undefined) return told(what, Promise.reject(error));
      return this.#reconcile(wanted, made);
    }
  }

  async #reconcile(wanted: Wanted, info: StreamInfo): Promise<StreamInfo> {
    const { config } = info;
    const fixed = differences(wanted.fixed, config);
    if (fixed.length > 0) {
      throw new IntermodalError(
        "CONFIG_INVALID",
        `stream ${wanted.name} exists with other settings that can't be changed safely: ${fixed
          .map(({ field, has, wants }) => `${field} is ${text(has)}, needed is ${text(wants)}`)
          .join("; ")}. Delete the stream, or use another namespace`,
      );
    }
    const changes = differences(wanted.kept, config);
    const missing = wanted.subjects.filter((subject) => !config.subjects.includes(subject));
    if (config.duplicate_window < DEDUPE_WINDOW_MS * MS)
      changes.push({ field: "duplicate_window", has: config.duplicate_window, wants: DEDUPE_WINDOW_MS * MS });
    if (missing.length > 0)
      changes.push({ field: "subjects", has: config.subjects, wants: [...config.subjects, ...missing] });
    if (changes.length === 0) return info;
    for (const { field, has, wants } of changes)
      this.#logger.warn(`stream ${wanted.name}: ${field} is changed from ${text(has)} to ${text(wants)}`);
    const changed = Object.fromEntries(changes.map(({ field, wants }) => [field, wants]));
    return told(`stream ${wanted.name}`, this.#api.updateStream({ ...config, ...changed }));
  }
}

export interface Difference {
  readonly field: string;
  readonly has: unknown;
  readonly wants: unknown;
}

/** Field by field; the server leaves out what is empty, false or zero. */
export function differences(wanted: object, found: object): Difference[] {
  const has = found as Readonly<Record<string, unknown>>;
  return Object.entries(wanted)
    .map(([field, wants]) => ({ field, has: has[field], wants }))
    .filter(({ has, wants }) => wants !== undefined && text(has || 0) !== text(wants || 0));
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? "absent";
}

function wantedTasks(names: Names, { replicas, taskLimits }: Settings): Wanted {
  return {
    name: names.tasks,
    subjects: names.taskSubjects,
    fixed: { retention: "workqueue", storage: "file", discard: "new", deny_delete: false, deny_purge: false },
    initial: { duplicate_window: DEDUPE_WINDOW_MS * MS, num_replicas: 1 },
    // Commands, delayed messages and dead letters stay until somebody is done with them.
    kept: { ...kept(replicas, taskLimits), max_age: 0 },
  };
}

function wantedEvents(names: Names, { replicas, eventLimits, eventRetentionMs }: Settings): Wanted {
  return {
    name: names.events,
    subjects: names.eventSubjects,
    fixed: { retention: "limits", storage: "file", discard: "old", deny_purge: false },
    initial: { duplicate_window: DEDUPE_WINDOW_MS * MS, num_replicas: 1, max_age: WEEK_MS * MS },
    kept: {
      ...kept(replicas, eventLimits),
      ...(eventRetentionMs !== undefined && { max_age: eventRetentionMs * MS }),
    },
  };
}

function kept(replicas: number | undefined, limits: Settings["taskLimits"]): Partial<StreamConfig> {
  return {
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(limits?.maxBytes !== undefined && { max_bytes: limits.maxBytes }),
    ...(limits?.maxMessages !== undefined && { max_msgs: limits.maxMessages }),
  };
}
