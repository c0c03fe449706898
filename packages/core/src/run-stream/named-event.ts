import type { TerminalStatus } from "../lifecycle/record.ts";
import type { JsonValue } from "../ports/json.ts";
import type { RunEvent } from "./run-event.ts";

/** What the SDK itself writes into a run's stream: `lifecycle.*` for the run, `task.*` for its sub-tasks. `progress` is what the handler gave. */
export interface SdkRunEvents {
  readonly "lifecycle.started": RunStarted;
  readonly "lifecycle.progress": JsonValue;
  readonly "lifecycle.retrying": RunRetrying;
  readonly "lifecycle.completed": { readonly status: "COMPLETED" | "COMPLETED_WITH_ERRORS" };
  readonly "lifecycle.failed": { readonly status: TerminalStatus; readonly error: string | null };
  readonly "task.started": RunStarted;
  readonly "task.progress": JsonValue;
  readonly "task.retrying": RunRetrying;
  readonly "task.completed": { readonly type: string; readonly status: TerminalStatus };
  readonly "task.failed": { readonly type: string; readonly status: TerminalStatus; readonly error: string | null };
}

interface RunStarted {
  readonly type: string;
  readonly attempt: number;
}

interface RunRetrying {
  readonly type: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly delay_ms: number;
  readonly error: string;
}

/**
 * The entries of a run whose handlers emit `Events`, data by name, and nothing else: a union that `name` tells apart, the SDK's own included. Without `Events` any name and any
 * JSON.
 */
export type NamedRunEvent<Events extends object = Record<string, JsonValue>> = string extends keyof Events
  ? RunEvent<Events[keyof Events & string]>
  : EachOf<Events & SdkRunEvents>;

type EachOf<Events> = { [Name in keyof Events & string]: RunEvent<Events[Name], Name> }[keyof Events & string];
