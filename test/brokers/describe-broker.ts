import { type ConformanceCase, type Harness, runCase } from "@intermodal/conformance";
import { describeConformance } from "@intermodal/conformance/vitest";
import { afterAll, describe, test, vi } from "vitest";
import { type Server, type ServerKind, startServer, whyMissing } from "../servers/index.ts";
import { skipWithout } from "../servers/skip-without.ts";
import { limit } from "./limit.ts";

/** A broker, and how its adapter is put to the test on a server of its kind. */
export interface Broker {
  readonly kind: ServerKind;
  /** A line of older versions. @default the newest that can be had */
  readonly version?: string | undefined;
  readonly harness: (server: Server, size: Harness["size"]) => Harness;
}

/** `INTERMODAL_SIZE=full` for the figures of a soak. */
export const SIZE: Harness["size"] = process.env.INTERMODAL_SIZE === "full" ? "full" : "small";

/** Servers that are up at the same time, for cases that stop theirs. */
const SERVERS_AT_ONCE = 4;
/** In a soak, a case that tries every moment of a workflow in real time takes half an hour beside others. */
export const LIMIT_MS = SIZE === "full" ? 3_600_000 : 600_000;

/** Stopping the server is everybody's affair: such a case has one of its own. */
function stopsServer({ needs }: ConformanceCase): boolean {
  return needs?.includes("stop") ?? false;
}

/**
 * Runs the cases beside each other on one server, and each that stops its server on one of its own.
 * @param atOnce so many that the machine is never so busy that what should come soon comes late.
 */
export async function describeBroker(
  broker: Broker,
  cases: readonly ConformanceCase[],
  { atOnce }: { readonly atOnce: number },
): Promise<void> {
  vi.setConfig({ maxConcurrency: atOnce });
  const { kind, version } = broker;
  const missing = await whyMissing(kind, { version });
  const name = version === undefined ? kind : `${kind} ${version}`;
  if (missing !== undefined) {
    test(name, (t) => skipWithout(missing, t));
    return;
  }
  const together = cases.filter((testCase) => !stopsServer(testCase));
  const server = await startServer(kind, { version });
  describe(name, () => {
    afterAll(() => server.close());
    // First what takes longest.
    describeApart(broker, cases.filter(stopsServer));
    describeConformance(broker.harness(server, SIZE), together, { concurrent: true, limitMs: LIMIT_MS });
  });
}

function describeApart({ kind, version, harness }: Broker, cases: readonly ConformanceCase[]): void {
  const turn = limit(SERVERS_AT_ONCE);
  for (const testCase of cases) {
    const title = `${testCase.id} (${testCase.guarantees.join(", ")}): ${testCase.title}`;
    test(title, { concurrent: true, timeout: LIMIT_MS }, (t) =>
      turn(async () => {
        const server = await startServer(kind, { version });
        try {
          const result = await runCase(testCase, harness(server, SIZE), { limitMs: LIMIT_MS });
          if (result.status === "skipped") t.skip(result.reason);
          if (result.status === "failed") throw result.error;
        } finally {
          await server.close();
        }
      }),
    );
  }
}
