import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { followRun } from "@intermodal/core/client";
import { beforeAll, expect, it } from "vitest";
import type { AgentEvents } from "./contracts.ts";

// What the page does with it in a browser is tested in test/browser.
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
let origin: string;

beforeAll(async () => {
  const { INTERMODAL_URL: _, NODE_ENV: __, ...env } = process.env;
  const program = spawn(process.execPath, ["--conditions=@intermodal/source", path("main.ts")], {
    env: { ...env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(program.stdout, "data")) as [Buffer];
  origin = /http:\S+(?=\/)/.exec(said.toString())?.[0] ?? "";
  return async () => {
    program.kill("SIGTERM");
    expect((await once(program, "exit"))[0]).toBe(0);
  };
});

const start = (body: string) => fetch(`${origin}/runs`, { method: "POST", body });

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
  const response = await start(JSON.stringify({ question: "What was the price of a ton?", seed: 1, paceMs: 1 }));
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

it("has a page whose types are right", async () => {
  // A browser's types would hide mistakes on Node, so the page is no part of what is checked elsewhere.
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  await promisify(execFile)(process.execPath, [tsc, "-p", path("page")]);
});
