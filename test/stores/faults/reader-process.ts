import type { RunEntry } from "@intermodal/core";
import { Child } from "../../faults/child.ts";
import type { StorePlace } from "./apps.ts";

export interface ReaderSettings extends StorePlace {
  /** Of the task. */
  readonly id: string;
}

/** Each entry of the run as it is read; at last that there are no more. */
export type Read = { readonly entry: RunEntry } | { readonly over: true };

/** Follows a run by `task.stream()`, in a process of its own. */
export class Reader extends Child<Read> {
  get entries(): readonly RunEntry[] {
    return this.told.flatMap((read) => ("entry" in read ? [read.entry] : []));
  }

  /** Resolves when the iteration has ended. */
  over(): Promise<void> {
    return this.until((read) => "over" in read);
  }
}

export function readerOf(settings: ReaderSettings): Reader {
  return new Reader(new URL("./reader.ts", import.meta.url), settings);
}
