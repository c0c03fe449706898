import type { Place } from "./apps.ts";
import { Child } from "./child.ts";

export interface ActorSettings extends Place {
  /** Listens to the event under this name; absent: works on the command's queue. */
  readonly listener?: string | undefined;
}

export type Told = { readonly note: "ready" } | Note;

/** Of one message: before its handler does anything, or when it is done. */
export interface Note {
  readonly note: "started" | "handled";
  readonly n: number;
  readonly attempt: number;
}

export type TimedNote = Note & { readonly at: number };

/** A worker or listener in a process of its own. */
export class Actor extends Child<Told> {
  constructor(settings: ActorSettings) {
    super(new URL("./actor.ts", import.meta.url), settings);
  }

  /** Resolves when it consumes. */
  async ready(): Promise<this> {
    await this.until(({ note }) => note === "ready");
    return this;
  }

  /** In the order they were told. */
  notes(note: Note["note"]): readonly TimedNote[] {
    return this.told.filter((told): told is TimedNote => told.note === note);
  }

  get handled(): readonly number[] {
    return this.notes("handled").map(({ n }) => n);
  }
}

/** Each once, in order. */
export function distinct(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}
