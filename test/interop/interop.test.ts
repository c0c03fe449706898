import { type App, type BusEvent, createApp, defineCommand, defineEvent } from "@intermodal/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { installClients, runPython, whyNoPython } from "./python.ts";

const bookCatalogued = defineEvent("book.catalogued", { data: z.object({ bookId: z.string(), pages: z.int() }) });
const printLabel = defineCommand("label.print", {
  queue: "labels",
  input: z.object({ bookId: z.string(), copies: z.int() }),
});

const TIMEOUT_MS = 60_000;

describe.each(["nats", "rabbit"] as const)("Python beside this SDK on %s", async (broker) => {
  const missing = (await whyMissing(broker)) ?? (await whyNoPython());
  let server: Server;
  let packages: string;
  let apps: App[] = [];

  beforeAll(async () => {
    if (missing !== undefined) return;
    [server, packages] = await Promise.all([startServer(broker), installClients()]);
  });
  afterEach(async () => {
    await Promise.all(apps.map((app) => app.stop()));
    apps = [];
  });
  afterAll(() => server?.close());

  function appIn(namespace: string): App {
    const { url } = server;
    const carriers = { commands: url, events: url, state: "memory:", streams: "memory:" };
    const app = createApp({ name: "library", namespace, ...carriers });
    apps.push(app);
    return app;
  }

  function python(script: string, namespace: string): Promise<unknown> {
    const { url } = server;
    const env = { INTERMODAL_EVENTS: url, INTERMODAL_COMMANDS: url, INTERMODAL_NAMESPACE: namespace };
    return runPython(`${broker}/${script}`, packages, env);
  }

  /** Whoever misses what it needs says so; in CI that is a failure. */
  function interop(title: string, namespace: string, run: (namespace: string) => Promise<void>): void {
    test(title, { timeout: TIMEOUT_MS }, async (t) => {
      skipWithout(missing, t);
      await run(namespace);
    });
  }

  interop("an event that Python publishes reaches a listener, typed", "events", async (namespace) => {
    const heard = Promise.withResolvers<BusEvent<{ bookId: string; pages: number }>>();
    const app = appIn(namespace);
    app.on(bookCatalogued, { listener: "shelf" }, (event) => heard.resolve(event));
    await app.start();
    const published = (await python("publish_event.py", namespace)) as { id: string; time: string };
    expect(await heard.promise).toEqual({
      id: published.id,
      type: "book.catalogued",
      version: "1.0",
      source: "catalogue",
      time: Date.parse(published.time),
      data: { bookId: "moby-dick", pages: 635 },
    });
  });

  interop("Python consumes a command that was sent here, a CloudEvent", "sent-here", async (namespace) => {
    const app = appIn(namespace);
    const before = Date.now();
    await app.send(printLabel, { bookId: "moby-dick", copies: 3 }, { id: "label-1" });
    const command = (await python("consume_command.py", namespace)) as { time: string };
    expect(command).toEqual({
      specversion: "1.0",
      id: "label-1",
      source: "library",
      type: "label.print",
      time: expect.any(String) as string,
      datacontenttype: "application/json",
      dataversion: "1.0",
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/) as string,
      correlationid: "label-1",
      queue: "labels",
      data: { bookId: "moby-dick", copies: 3 },
    });
    expect(Date.parse(command.time)).toBeGreaterThanOrEqual(before);
    await expect.poll(() => app.inspectQueue("labels"), { timeout: 10_000 }).toMatchObject({ ready: 0, dead: 0 });
  });

  interop("a worker handles a command that Python sent", "sent-there", async (namespace) => {
    const handled = Promise.withResolvers<unknown>();
    const app = appIn(namespace);
    app.handle(printLabel, (input, context) => handled.resolve({ ...input, id: context.id, attempt: context.attempt }));
    await app.start();
    const { id } = (await python("send_command.py", namespace)) as { id: string };
    expect(await handled.promise).toEqual({ bookId: "moby-dick", copies: 2, id, attempt: 1 });
    await expect.poll(() => app.inspectQueue("labels"), { timeout: 10_000 }).toMatchObject({ ready: 0, dead: 0 });
  });
});
