import { expectTypeOf } from "vitest";
import type { JsonValue } from "../ports/json.ts";
import { followRun, type NamedRunEvent, type RunEvent, type RunGap } from "./client.ts";

type Entry<Followed> = Followed extends AsyncIterable<infer Of> ? Of : never;
const onGap = () => {};

// Nothing said: any name, any JSON.
const anything = followRun("http://localhost/runs/1/events");
expectTypeOf<Entry<typeof anything>>().toEqualTypeOf<RunEvent | RunGap>();
const withoutGaps = followRun("http://localhost/runs/1/events", { onGap });
expectTypeOf<Entry<typeof withoutGaps>>().toEqualTypeOf<RunEvent>();

// What the handlers emit: the name tells what the data is, the SDK's own events included.
interface AgentEvents {
  token: { text: string };
  "tool.call": { tool: string; input: JsonValue };
}
for await (const event of followRun<AgentEvents>("http://localhost/runs/1/events", { onGap })) {
  switch (event.name) {
    case "token":
      expectTypeOf(event.data).toEqualTypeOf<{ text: string }>();
      break;
    case "tool.call":
      expectTypeOf(event.data.tool).toBeString();
      break;
    case "lifecycle.started":
      expectTypeOf(event.data.attempt).toBeNumber();
      break;
    case "lifecycle.failed":
      expectTypeOf(event.data.error).toEqualTypeOf<string | null>();
      break;
    case "lifecycle.progress":
      expectTypeOf(event.data).toEqualTypeOf<JsonValue>();
      break;
    // @ts-expect-error no handler emits it
    case "tokens":
      break;
  }
  expectTypeOf(event.sequence).toBeNumber();
}
const gaps = followRun<AgentEvents>("http://localhost/runs/1/events");
expectTypeOf<Entry<typeof gaps>>().toEqualTypeOf<NamedRunEvent<AgentEvents> | RunGap>();
