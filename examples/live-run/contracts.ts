import { defineTask } from "@intermodal/core/contracts";
import { z } from "zod";

/** An agent answers a question. The same question and seed give the same run, event by event. */
export const research = defineTask("agent.research", {
  input: z.object({
    question: z.string().min(1).max(200),
    seed: z.number().int().min(0).max(999_999),
    /** About how long it thinks between two events, in milliseconds. */
    paceMs: z.number().min(0).max(2_000),
  }),
  output: z.object({ answer: z.string(), toolCalls: z.number() }),
});

/** What a research run emits, data by name. Server and page share it. */
export interface AgentEvents {
  readonly plan: { readonly steps: readonly string[] };
  readonly "tool.call": { readonly call: number; readonly tool: string; readonly input: string };
  readonly "tool.result": { readonly call: number; readonly output: string };
  readonly token: { readonly text: string };
}

/** How far it is. A type, not an interface: it has to pass for JSON. */
export type AgentProgress = { readonly done: number; readonly total: number; readonly doing: string };
