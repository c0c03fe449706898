import { setTimeout as sleep } from "node:timers/promises";
import { type AdapterFactory, isIntermodalError } from "@intermodal/core";
import {
  type Authenticator,
  credsAuthenticator,
  jwtAuthenticator,
  nkeyAuthenticator,
  nkeys,
} from "@nats-io/transport-node";
import { expect, vi } from "vitest";
import { appAt, type BrokerKind } from "./apps.ts";
import { command, event } from "./contracts.ts";
import { type CaseOptions, onEachBroker } from "./each-broker.ts";
import { LogBook } from "./log-book.ts";
import { credsFile, JwtAuthority } from "./nats-jwts.ts";
import { expectRefusal } from "./refused.ts";
import type { Stage } from "./stage.ts";

const USER = "alice-the-user";
const PASSWORD = "p@ss:w0rd/of%alice";
const WRONG = "wr@ng:w0rd/of%alice";
const seed = nkeys.createUser();
const authority = new JwtAuthority();
const [member, other, late, stranger] = [
  authority.user(),
  authority.user(),
  authority.user({ lastsMs: -60_000 }),
  new JwtAuthority().user(),
];
const seeds = [seed.getSeed(), ...[member, other, late, stranger].map((user) => user.seed)];
const secrets = [USER, PASSWORD, WRONG, ...seeds.map((each) => new TextDecoder().decode(each))];
const OUTAGE_MS = 1_000;
/** What is sent meanwhile gives up after it. */
const SEND_TIMEOUT_MS = 5_000;
const ROTATIONS = 4;

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

async function natsWith(authenticator?: Authenticator): Promise<AdapterFactory> {
  const { nats } = await import("@intermodal/adapter-nats");
  return nats({ sendTimeoutMs: SEND_TIMEOUT_MS, ...(authenticator && { connection: { authenticator } }) });
}

async function impatientRabbit(): Promise<AdapterFactory> {
  return (await import("@intermodal/adapter-rabbit")).rabbit({ sendTimeoutMs: SEND_TIMEOUT_MS });
}

/** Does everything that logs, with a server that goes and comes back. */
async function expectDiscretion(stage: Stage, adapter: AdapterFactory): Promise<void> {
  const book = new LogBook();
  const app = await appAt(stage.place, { logger: book, adapters: [adapter] });
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
  onEachBroker("credentials of a server that goes and comes back are not told", options, async (stage) =>
    expectDiscretion(stage, stage.kind === "nats" ? await natsWith() : await impatientRabbit()),
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
    await expectDiscretion(stage, await natsWith(nkeyAuthenticator(seed.getSeed())));
    await expectRefusal(stage, {
      url: stage.server.url,
      code: "CONFIG_INVALID",
      says: /refused the credentials/,
      secrets,
    });
  },
);

const withJwts = { brokers: ["nats"], server: { config: authority.config } } as const;

onEachBroker("the JWT of a user lets in, and its seed is not told", withJwts, async (stage) => {
  await expectDiscretion(stage, await natsWith(credsAuthenticator(credsFile(member))));
});

onEachBroker("wrong JWTs are refused, and no seed is told", withJwts, async (stage) => {
  const refused: readonly Authenticator[] = [
    credsAuthenticator(credsFile(stranger)),
    credsAuthenticator(credsFile(late)),
    jwtAuthenticator(member.jwt, other.seed),
    jwtAuthenticator(member.jwt),
    () => undefined,
  ];
  const refusals = refused.map(async (authenticator) =>
    expectRefusal(stage, {
      url: stage.server.url,
      adapters: [await natsWith(authenticator)],
      code: "CONFIG_INVALID",
      says: /refused the credentials.*check .*JWT/,
      secrets,
    }),
  );
  await Promise.all(refusals);
});

onEachBroker("credentials that cannot be read are refused, and not told", withJwts, async (stage) => {
  const half = credsFile(member).slice(0, -80);
  const unreadable = [credsAuthenticator(half), jwtAuthenticator(member.jwt, member.seed.slice(0, -4))];
  const refusals = unreadable.map(async (authenticator) =>
    expectRefusal(stage, {
      url: stage.server.url,
      adapters: [await natsWith(authenticator)],
      code: "CONFIG_INVALID",
      says: /authenticator .*failed: .*check the credentials/,
      secrets: [...secrets, new TextDecoder().decode(member.seed.slice(0, -4))],
    }),
  );
  await Promise.all(refusals);
});

onEachBroker("a worker outlives the JWTs that it is given, and one that cannot be read", withJwts, async (stage) => {
  let given = 0;
  const authenticator: Authenticator = (nonce) => {
    if (++given === 3) throw new Error("it is just being written");
    const { jwt, seed } = authority.user({ lastsMs: given > ROTATIONS ? undefined : 1_000 });
    return jwtAuthenticator(jwt, seed)(nonce);
  };
  const handled: number[] = [];
  const app = await stage.app({}, { adapters: [await natsWith(authenticator)] });
  app.handle(command, ({ n }) => handled.push(n));
  app.on(event, { listener: "audit" }, ({ data }) => handled.push(-data.n));
  await app.start();
  await vi.waitFor(() => expect(given).toBeGreaterThan(ROTATIONS), { timeout: 30_000 });
  for (const n of [1, 2, 3]) await Promise.all([app.send(command, { n }), app.publish(event, { n })]);
  await vi.waitFor(() => expect(handled).toEqual(expect.arrayContaining([-3, -2, -1, 1, 2, 3])), { timeout: 10_000 });
});
