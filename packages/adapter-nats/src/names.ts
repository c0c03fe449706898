import { createHash } from "node:crypto";
import { encodeName } from "@intermodal/core/ports";

/** Which bus a place belongs to: a queue of the command bus, a listener of the event bus. */
export type PlaceKind = "queue" | "listener";

/** Where messages wait for one queue or one listener, and where they go meanwhile. */
export interface PlaceNames {
  readonly kind: PlaceKind;
  /** The queue, or the listener's key. */
  readonly name: string;
  /** In errors and logs. */
  readonly title: string;
  /** The stream that holds what waits here; what is delayed or dead is always in TASKS. */
  readonly stream: string;
  readonly durable: string;
  /** Where a message goes that is for this place alone: sent, retried, replayed. */
  readonly target: string;
  readonly dead: string;
  readonly delayed: string;
}

/** A listener's, which has a marker besides. */
export interface ListenerNames extends PlaceNames {
  /** Holds how far gaps have been told. */
  readonly mark: string;
}

/** The subjects, streams and consumers of one namespace. */
export class Names {
  readonly prefix: string;
  readonly tasks: string;
  readonly events: string;

  constructor(namespace: string) {
    const encoded = encodeName(namespace);
    this.prefix = `im.${encoded}`;
    this.tasks = shorten(`im_${encoded}_TASKS`);
    this.events = shorten(`im_${encoded}_EVENTS`);
  }

  /** What TASKS holds: commands, and of both buses what is delayed, dead letters, markers. */
  get taskSubjects(): readonly string[] {
    return ["cmd.>", "later.>", "dead.>", "mark.>"].map((subject) => `${this.prefix}.${subject}`);
  }

  /** What EVENTS holds: events, and what is for one listener alone. */
  get eventSubjects(): readonly string[] {
    return ["evt.>", "again.>"].map((subject) => `${this.prefix}.${subject}`);
  }

  /** Everything that waits for its time. */
  get delayed(): string {
    return `${this.prefix}.later.>`;
  }

  /** The stream that takes a target's messages. */
  streamOf(target: string): string {
    return target.startsWith(`${this.prefix}.again.`) ? this.events : this.tasks;
  }

  event(type: string): string {
    return `${this.prefix}.evt.${type}`;
  }

  /** The type in an event's subject; empty when it is another subject. */
  eventType(subject: string): string {
    const prefix = `${this.prefix}.evt.`;
    return subject.startsWith(prefix) ? subject.slice(prefix.length) : "";
  }

  queue(queue: string): PlaceNames {
    const encoded = encodeName(queue);
    return {
      kind: "queue",
      name: queue,
      title: `queue ${JSON.stringify(queue)}`,
      stream: this.tasks,
      durable: shorten(`q_${encoded}`),
      target: `${this.prefix}.cmd.${queue}`,
      dead: `${this.prefix}.dead.q.${encoded}`,
      delayed: `${this.prefix}.later.q.${encoded}`,
    };
  }

  /** @param key as `listenerKey` makes it. */
  listener(key: string): ListenerNames {
    const slash = key.indexOf("/");
    const [service, listener] = [encodeName(key.slice(0, slash)), encodeName(key.slice(slash + 1))];
    const place = `${service}.${listener}`;
    return {
      kind: "listener",
      name: key,
      title: `listener ${JSON.stringify(key)}`,
      stream: this.events,
      // Encoded names never hold "=_".
      durable: shorten(`l_${service}=_${listener}`),
      target: `${this.prefix}.again.${place}`,
      dead: `${this.prefix}.dead.l.${place}`,
      delayed: `${this.prefix}.later.l.${place}`,
      mark: `${this.prefix}.mark.${place}`,
    };
  }
}

/** The consumer of what is delayed. */
export const DELAY_DURABLE = "delay";

/** Names of streams and consumers become names of folders, which hold at most 255 bytes. */
const LONGEST = 150;
const KEPT = 100;

/** Injective: no encoded name holds "=H". */
export function shorten(name: string): string {
  if (name.length <= LONGEST) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 40);
  return `${name.slice(0, KEPT)}=H${hash}`;
}
