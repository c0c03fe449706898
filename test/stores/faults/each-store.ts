import { afterAll, type TestContext, test } from "vitest";
import { limit } from "../../brokers/limit.ts";
import { type Server, type ServerKind, startServer, whyMissing } from "../../servers/index.ts";
import { skipWithout } from "../../servers/skip-without.ts";
import { type StoreKind, StoreStage } from "./stage.ts";

/** The figures of a soak, with default leases throughout; else small ones. */
export const FULL = process.env.INTERMODAL_SIZE === "full";
export const shortLeases = !FULL;

const STORES: readonly StoreKind[] = ["redis", "mongo"];
const BUS: ServerKind = "nats";
const LIMIT_MS = FULL ? 900_000 : 120_000;
const SERVERS_AT_ONCE = 2;

export interface CaseOptions {
  /** A store of this case's own, which it may stop. @default it shares one with the other cases of its file */
  readonly ownStore?: boolean | undefined;
  /** Not beside others, which would take part in what it measures. */
  readonly alone?: boolean | undefined;
}

const shared = new Map<ServerKind, Promise<Server>>();
const turn = limit(SERVERS_AT_ONCE);

afterAll(async () => {
  for (const server of await Promise.allSettled(shared.values()))
    if (server.status === "fulfilled") await server.value.close();
});

/** A case for each store, run beside the other cases of its file. */
export function onEachStore(
  title: string,
  { ownStore = false, alone = false }: CaseOptions,
  run: (stage: StoreStage, t: TestContext) => Promise<void>,
): void {
  for (const kind of STORES) {
    test(`${kind}: ${title}`, { concurrent: !alone, timeout: LIMIT_MS }, async (t) => {
      skipWithout((await whyMissing(kind)) ?? (await whyMissing(BUS)), t);
      if (!ownStore) return onServer(kind, await sharedServer(kind), (stage) => run(stage, t));
      await turn(async () => {
        const own = await startServer(kind, {});
        try {
          if (!own.restartable) t.skip("it needs a server that it may stop, not one from the environment");
          await onServer(kind, own, (stage) => run(stage, t));
        } finally {
          await own.close();
        }
      });
    });
  }
}

/** The server that the cases of a file share. */
export function sharedServer(kind: ServerKind): Promise<Server> {
  let server = shared.get(kind);
  if (server === undefined) {
    server = startServer(kind);
    shared.set(kind, server);
  }
  return server;
}

async function onServer(kind: StoreKind, store: Server, run: (stage: StoreStage) => Promise<void>): Promise<void> {
  const stage = new StoreStage(kind, store, await sharedServer(BUS), shortLeases);
  try {
    await run(stage);
  } finally {
    await stage.clear();
  }
}
