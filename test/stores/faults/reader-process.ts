import type { RunEntry } from "@intermodal/core";
import { Child } from "../../faults/child.ts";
import type { StorePlace } from "./apps.ts";

export interface ReaderSettings extends StorePlace {
  /** Of the tasks. */
  readonly ids: readonly string[];
}

/** Each entry of each run as it is read; at last that there are no more. */
export type Read = { readonly id: string; readonly entry: RunEntry } | { readonly over: true };

/** Follows runs by `task.stream()`, in a process of its own. */
export class Reader extends Child<Read> {
  /** What has been read of one run. */
  entriesOf(id: string): readonly RunEntry[] {
    return this.told.flatMap((read) => ("entry" in read && read.id === id ? [read.entry] : []));
  }

  /** Resolves when every iteration has ended. */
  over(): Promise<void> {
    return this.until((read) => "over" in read);
  }
}

export function readerOf(settings: ReaderSettings): Reader {
  return new Reader(new URL("./reader.ts", import.meta.url), settings);
}
