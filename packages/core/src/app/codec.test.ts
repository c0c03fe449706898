import { expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, defineEvent } from "../contracts/index.ts";
import { MemoryAdapter, MemoryServer } from "../memory/index.ts";
import { silentLogger } from "../ports/logger.ts";
import { withMethods } from "../ports/port-fixture.ts";
import { createTestApp, VirtualClock } from "../testing/index.ts";
import { plainCodec } from "../wire/codecs.ts";
import { createApp } from "./create-app.ts";

const moved = defineEvent("ship.moved", { version: "1.2", data: z.object({ to: z.string() }) });
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("the codec option writes plain dictionaries, which subscribers from before understand (A9)", async () => {
  const clock = new VirtualClock();
  const { commandBus, eventBus } = new MemoryAdapter(new MemoryServer(clock), {
    namespace: "test",
    clock,
    logger: silentLogger,
  });
  const written: unknown[] = [];
  const watched = withMethods(eventBus, {
    publish(events) {
      for (const { body } of events) written.push(JSON.parse(new TextDecoder().decode(body)));
      return eventBus.publish(events);
    },
  });
  const app = createApp({
    name: "port",
    clock,
    logger: silentLogger,
    codec: plainCodec,
    ports: { commandBus, eventBus: watched },
  });
  const heard: unknown[] = [];
  app.on(moved, { listener: "l" }, ({ id, version, data }) => heard.push([id, version, data]));
  await app.start();
  await app.publish(moved, { to: "Nantucket" }, { id: "m-1" });
  await clock.advance(100);
  expect(written).toMatchObject([
    {
      event_type: "ship.moved",
      event_version: "1.2",
      event_id: "m-1",
      timestamp: "2026-01-01T00:00:00.000Z",
      to: "Nantucket",
    },
  ]);
  expect(heard).toEqual([["m-1", "1.2", { to: "Nantucket" }]]);

  // A publisher from before: without id, source or trace; its version defaults to "1.0".
  const body = bytes({ event_type: "ship.moved", timestamp: 1_700_000_000, to: "Hobart" });
  await eventBus.publish([{ id: "transport", type: "ship.moved", body }]);
  await clock.advance(100);
  expect(heard[1]).toEqual(["", "1.0", { to: "Hobart" }]);
  await app.stop();
});

test("commands are CloudEvents whatever the codec, and test apps read what was published in it", async () => {
  const sail = defineCommand("sail", { input: z.object({}) });
  const { app, idle, published } = createTestApp({ codec: plainCodec });
  let sailed = 0;
  app.handle(sail, () => ++sailed);
  await app.start();
  await app.send(sail, {});
  await app.publish(moved, { to: "Lima" });
  await idle();
  expect(sailed).toBe(1);
  expect(published(moved)).toEqual([{ to: "Lima" }]);
  await app.stop();
});

test("data that would hide a field of the dictionary is refused", async () => {
  const odd = defineEvent("odd");
  const { app } = createTestApp({ codec: plainCodec });
  await expect(app.publish(odd, { event_id: "mine" })).rejects.toMatchObject({ code: "NOT_SERIALIZABLE" });
  await app.stop();
});
