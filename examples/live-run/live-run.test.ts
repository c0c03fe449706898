import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { followRun } from "@intermodal/core/client";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../test/servers/ports.ts";
import type { AgentEvents } from "./contracts.ts";

// What the page does with it in a browser is tested in test/browser.
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
let origin: string;

/** Runs the example. What it says to the end is complaints. */
function run(variables: Readonly<Record<string, string>>) {
  const env = Object.entries(process.env).filter(([name]) => !/^(INTERMODAL_|NODE_ENV$)/.test(name));
  const program = spawn(process.execPath, ["--conditions=@intermodal/source", path("main.ts")], {
    env: { ...Object.fromEntries(env), PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { program, complaints: text(program.stderr), exit: once(program, "exit") };
}

/** @returns the address of a run example, once it has said it. */
async function originOf({ program }: ReturnType<typeof run>): Promise<string> {
  const [said] = (await once(program.stdout, "data")) as [Buffer];
  return /http:\S+(?=\/)/.exec(said.toString())?.[0] ?? "";
}

beforeAll(async () => {
  const running = run({});
  origin = await originOf(running);
  return async () => {
    running.program.kill("SIGTERM");
    expect(await running.complaints).toBe("");
    expect((await running.exit)[0]).toBe(0);
  };
});

const start = (body: string, at = origin) => fetch(`${at}/runs`, { method: "POST", body });
const RUN = JSON.stringify({ question: "What was the price of a ton?", seed: 1, paceMs: 1 });

it("serves the page", async () => {
  for (const [name, type, text] of [
    ["/", "text/html", "<h1>Live run</h1>"],
    ["/page.css", "text/css", ".sequences"],
    ["/page.js", "text/javascript", "EventSource"],
  ] as const) {
    const response = await fetch(`${origin}${name}`);
    expect(response.headers.get("content-type")).toContain(type);
    expect(await response.text()).toContain(text);
  }
  expect((await fetch(`${origin}/main.ts`)).status).toBe(404);
});

it("starts a run, and streams it to its end", async () => {
  const response = await start(RUN);
  expect(response.status).toBe(202);
  let answer = "";
  let last = 0;
  const events = `${origin}${response.headers.get("location")}`;
  for await (const event of followRun<AgentEvents>(events, { onGap: (gap) => expect.fail(JSON.stringify(gap)) })) {
    expect(event.sequence).toBe(++last);
    if (event.name === "token") answer += event.data.text;
    if (event.name === "lifecycle.failed") expect.fail(String(event.data.error));
  }
  expect(answer).toContain("That is 37 times less.");
});

it.each(["", "{}", "[]", "null", '{"question":"","seed":1,"paceMs":1}', '{"question":"?","seed":1e9,"paceMs":1}'])(
  "starts nothing for %j",
  async (body) => {
    expect((await start(body)).status).toBe(400);
  },
);

it.each(["memory:", "nats:"])(
  "says what to do, and why, while its servers are away (bus %s)",
  async (bus) => {
    const away = `//127.0.0.1:${await freePort()}`;
    const stores = { INTERMODAL_STATE: `redis:${away}`, INTERMODAL_STREAMS: `redis:${away}` };
    const running = run({ INTERMODAL_URL: bus === "memory:" ? bus : `${bus}${away}`, ...stores });
    onTestFinished(() => void running.program.kill("SIGKILL"));
    const response = await start(RUN, await originOf(running));
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: expect.stringContaining("try again") });
    running.program.kill("SIGTERM");
    expect((await running.exit)[0]).toBe(0);
    expect(await running.complaints).toMatch(/^Live run: .*cannot be reached/m);
  },
  30_000,
);

it.each(["in use", "abc"])("says in one line that it cannot listen on a port (%s)", async (port) => {
  const { exit, complaints } = run({ PORT: port === "in use" ? new URL(origin).port : port });
  expect((await exit)[0]).toBe(1);
  expect(await complaints).toMatch(/^Live run: .*PORT.*\n$/);
});

it("has a page whose types are right", async () => {
  // A browser's types would hide mistakes on Node, so the page is no part of what is checked elsewhere.
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  await promisify(execFile)(process.execPath, [tsc, "-p", path("page")]);
});
