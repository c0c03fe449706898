import { afterAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { silentLogger } from "../ports/logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { createRunStreamHandler } from "./http.ts";
import { document, mismatch, named, type Parameter } from "./openapi-fixture.ts";
import { TestRuns } from "./run-stream-fixture.ts";
import { SseParser } from "./sse-parser.ts";

const PATH = "/runs/{runId}/events";
const { parameters, responses } = (document.paths[PATH] as (typeof document.paths)[string]).get;
/** What the document says and an answer has shown. */
const seen = new Set<string>();

/** A finished run "r1" of which the cap took some, behind a handler that turns some requests away. */
async function handler() {
  const runs = new TestRuns(new VirtualClock(), { maxStreamEvents: 10 });
  await runs.append("r1", 50);
  await runs.end("r1");
  return {
    runs,
    handle: createRunStreamHandler({
      source: runs.source,
      clock: new VirtualClock(),
      logger: silentLogger,
      authorize: (request) => {
        if (request.headers.has("x-broken")) throw new Error("broken");
        return !request.headers.has("x-forbidden");
      },
    }),
  };
}

async function expectDescribed(response: Response): Promise<void> {
  const described = responses[response.status];
  expect(described, `status ${response.status}`).toBeDefined();
  const mediaType = response.headers.get("content-type")?.replace(/;.*/, "");
  for (const [name, header] of Object.entries(described?.headers ?? {})) {
    const text = response.headers.get(name);
    const value = header.schema.type === "integer" ? Number(text) : text;
    expect(mismatch(value, header.schema, name)).toBe("");
  }
  seen.add(`${response.status} ${mediaType ?? "nothing"}`);
  if (mediaType === undefined) {
    expect([described?.content, await response.text()]).toEqual([undefined, ""]);
    return;
  }
  const schema = described?.content?.[mediaType]?.schema;
  expect(schema, `${response.status} ${mediaType}`).toBeDefined();
  if (mediaType !== "text/event-stream") {
    expect(mismatch(await response.json(), schema ?? {})).toBe("");
    return;
  }
  const messages = new SseParser().push(await response.bytes());
  expect(messages.length).toBeGreaterThan(10);
  for (const { id, event, data } of messages) {
    const value = JSON.parse(data);
    expect(mismatch(value, named(event === "gap" ? "Gap" : "RunEvent"))).toBe("");
    expect(id).toBe(String(event === "gap" ? value.to : value.sequence));
    if (event !== "gap") expect(event).toBe(value.event);
  }
}

const JSON_ONLY = { accept: "application/json" };

describe("docs/openapi.json", () => {
  it("is of this version", () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info.version).toBe(packageJson.version);
  });

  it("would be found out", () => {
    const gap = named("Gap");
    const wrong = [null, [], {}, { from: 1 }, { from: 0, to: 1 }, { from: 1, to: "2" }, { from: 1, to: 2, why: "?" }];
    expect(wrong.filter((value) => mismatch(value, gap) === "")).toEqual([]);
    expect(mismatch({ from: 1, to: 2 }, gap)).toBe("");
  });

  it.each<[string, string, Record<string, string>]>([
    ["a stream", "/runs/r1/events", {}],
    ["a page", "/runs/r1/events?limit=3", JSON_ONLY],
    ["a page after a gap", "/runs/r1/events?after=49", JSON_ONLY],
    ["the end", "/runs/r1/events", { "last-event-id": "51" }],
    ["a position that never was", "/runs/r1/events", { "last-event-id": "99" }],
    ["a limit out of range", "/runs/r1/events?limit=1001", JSON_ONLY],
    ["who may not", "/runs/r1/events", { "x-forbidden": "yes" }],
    ["an unknown run", "/runs/r2/events", {}],
    ["another media type", "/runs/r1/events", { accept: "image/png" }],
    ["a broken application", "/runs/r1/events", { "x-broken": "yes" }],
  ])("describes the answer to %s", async (_, path, headers) => {
    const { handle } = await handler();
    await expectDescribed(await handle(new Request(`http://localhost${path}`, { headers })));
  });

  it("describes the answer while the store is away", async () => {
    const { handle, runs } = await handler();
    runs.connection.cut();
    await expectDescribed(await handle(new Request("http://localhost/runs/r1/events")));
  });

  it("describes a Problem for other methods", async () => {
    const { handle } = await handler();
    const response = await handle(new Request("http://localhost/runs/r1/events", { method: "DELETE" }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
    expect(mismatch(await response.json(), named("Problem"))).toBe("");
  });

  it.each(parameters.map((parameter): [string, Parameter] => [parameter.name, parameter]))(
    "names what %s may be",
    async (name, { in: place, schema }) => {
      const { handle } = await handler();
      const ask = (value: number | string) => {
        const headers = new Headers(/^(after|limit)$/.test(name) ? JSON_ONLY : {});
        const url = new URL("http://localhost/runs/r1/events");
        if (place === "header") headers.set(name, String(value));
        else url.searchParams.set(name, String(value));
        return handle(new Request(url, { headers }));
      };
      if (schema.$ref !== undefined) {
        for (const [value, status] of [
          ["0", 200],
          ["41", 200],
          ["2-41", 200],
          ["1-41", 400],
          ["41x", 400],
        ] as const) {
          expect((await ask(value)).status, value).toBe(status);
          expect(mismatch(value, schema) === "", value).toBe(status === 200);
        }
        return;
      }
      const { minimum = Number.NaN, maximum = Number.NaN } = schema;
      expect((await ask(minimum)).status).toBe(200);
      expect((await ask(minimum - 1)).status).toBe(400);
      expect((await ask(maximum + 1)).status).toBe(400);
    },
  );

  // Last: by now each has been asked for.
  afterAll(() => {
    const described = Object.entries(responses).flatMap(([status, { content }]) =>
      content === undefined ? [`${status} nothing`] : Object.keys(content).map((type) => `${status} ${type}`),
    );
    expect([...seen].sort()).toEqual(described.sort());
  });
});
