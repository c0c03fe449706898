import { afterAll, test } from "vitest";
import { limit } from "../brokers/limit.ts";
import { type NatsOptions, type RabbitOptions, type Server, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import type { BrokerKind } from "./apps.ts";
import { Stage } from "./stage.ts";

/** The figures of a soak, with default leases throughout; else small ones. */
export const FULL = process.env.INTERMODAL_SIZE === "full";

const BROKERS: readonly BrokerKind[] = ["nats", "rabbit"];
const LIMIT_MS = FULL ? 900_000 : 120_000;
/** Their cases mostly wait. */
const SERVERS_AT_ONCE = 6;

export interface CaseOptions {
  /** @default both */
  readonly brokers?: readonly BrokerKind[] | undefined;
  /**
   * What a server of this case's own is started with; `{}` for a case that does something to it.
   * @default it shares a server with the other cases of its file
   */
  readonly server?: (NatsOptions & RabbitOptions) | undefined;
}

const shared = new Map<BrokerKind, Promise<Server>>();
const turn = limit(SERVERS_AT_ONCE);

afterAll(async () => {
  for (const server of await Promise.allSettled(shared.values()))
    if (server.status === "fulfilled") await server.value.close();
});

/** A case for each broker, run beside the other cases of its file. */
export function onEachBroker(title: string, options: CaseOptions, run: (stage: Stage) => Promise<void>): void {
  const { brokers = BROKERS, server } = options;
  for (const kind of brokers) {
    test(`${kind}: ${title}`, { concurrent: true, timeout: LIMIT_MS }, async (t) => {
      skipWithout(await whyMissing(kind, server), t);
      if (server === undefined) return onServer(kind, await sharedServer(kind), run);
      await turn(async () => {
        const own = await startServer(kind, server);
        try {
          if (!own.restartable) t.skip("it needs a server that it may stop, not one from the environment");
          await onServer(kind, own, run);
        } finally {
          await own.close();
        }
      });
    });
  }
}

/** The server that the cases of a file share. */
export function sharedServer(kind: BrokerKind): Promise<Server> {
  let server = shared.get(kind);
  if (server === undefined) {
    server = startServer(kind);
    shared.set(kind, server);
  }
  return server;
}

async function onServer(kind: BrokerKind, server: Server, run: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage(kind, server);
  try {
    await run(stage);
  } finally {
    await stage.clear();
  }
}
