import { setTimeout as sleep } from "node:timers/promises";
import { type AdapterFactory, isIntermodalError } from "@intermodal/core";
import { nkeyAuthenticator, nkeys } from "@nats-io/transport-node";
import { expect, vi } from "vitest";
import { appAt, type BrokerKind } from "./apps.ts";
import { command, event } from "./contracts.ts";
import { type CaseOptions, onEachBroker } from "./each-broker.ts";
import { LogBook } from "./log-book.ts";
import { expectRefusal } from "./refused.ts";
import type { Stage } from "./stage.ts";

const USER = "alice-the-user";
const PASSWORD = "p@ss:w0rd/of%alice";
const WRONG = "wr@ng:w0rd/of%alice";
const seed = nkeys.createUser();
const secrets = [USER, PASSWORD, WRONG, new TextDecoder().decode(seed.getSeed())];
const OUTAGE_MS = 1_000;

/** Servers that let in who knows the password. */
const guarded: Readonly<Record<BrokerKind, CaseOptions>> = {
  nats: {
    brokers: ["nats"],
    server: {
      config: `authorization { user: "${USER}", password: "${PASSWORD}" }`,
      credentials: `${USER}:${encodeURIComponent(PASSWORD)}`,
    },
  },
  rabbit: { brokers: ["rabbit"], server: { user: USER, password: PASSWORD } },
};

/** Does everything that logs, with a server that goes and comes back. */
async function expectDiscretion(stage: Stage, url: string, adapters: readonly AdapterFactory[] = []): Promise<void> {
  const book = new LogBook();
  const app = await appAt({ ...stage.place, url }, { logger: book, adapters });
  stage.atEnd(() => app.stop());
  const handled: number[] = [];
  app.handle(command, ({ n }) => handled.push(n));
  app.on(event, { listener: "audit" }, ({ data }) => handled.push(data.n));
  await app.start();
  await Promise.all([app.send(command, { n: 1 }), app.publish(event, { n: 1 })]);
  await vi.waitFor(() => expect(handled).toEqual([1, 1]), { timeout: 10_000 });
  book.add(await app.health());
  await stage.server.kill();
  const [refused] = await Promise.all([app.send(command, { n: 2 }).catch((error: unknown) => error), sleep(OUTAGE_MS)]);
  expect(isIntermodalError(refused, "UNAVAILABLE")).toBe(true);
  book.add(refused, await app.health());
  await stage.server.start();
  await Promise.all([app.send(command, { n: 3 }), app.publish(event, { n: 3 })]);
  await vi.waitFor(() => expect(handled.filter((n) => n === 3)).toEqual([3, 3]), { timeout: 30_000 });
  await app.stop();
  // It has something to say, and says it without them.
  expect(book.text).toContain("lost");
  expect(book.leaks(secrets)).toEqual([]);
}

for (const options of Object.values(guarded))
  onEachBroker("credentials of a server that goes and comes back are not told", options, (stage) =>
    expectDiscretion(stage, stage.server.url),
  );

onEachBroker("the password is wrong", guarded.nats, (stage) =>
  expectRefusal(stage, {
    url: stage.server.url.replace(encodeURIComponent(PASSWORD), encodeURIComponent(WRONG)),
    code: "CONFIG_INVALID",
    says: /refused the credentials.*check user/,
    secrets,
  }),
);

onEachBroker(
  "an NKEY lets in, and is not told",
  {
    brokers: ["nats"],
    server: { config: `authorization { users = [{ nkey: ${seed.getPublicKey()} }] }` },
  },
  async (stage) => {
    const { nats } = await import("@intermodal/adapter-nats");
    const authenticator = nkeyAuthenticator(seed.getSeed());
    await expectDiscretion(stage, stage.server.url, [nats({ connection: { authenticator } })]);
    await expectRefusal(stage, {
      url: stage.server.url,
      code: "CONFIG_INVALID",
      says: /refused the credentials/,
      secrets,
    });
  },
);
