import { type CaseResult, type ConformanceCase, type Harness, runCase } from "@intermodal/conformance";
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
/** More than any file has. */
const CASES_AT_MOST = 1_000;
/** In a soak, a case that tries every moment of a workflow in real time takes half an hour beside others. */
export const LIMIT_MS = SIZE === "full" ? 3_600_000 : 300_000;

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
  // Cases take their turns here: those that wait for a server must take up no place of those that could run.
  vi.setConfig({ maxConcurrency: CASES_AT_MOST });
  const { kind, version, harness } = broker;
  const missing = await whyMissing(kind, { version });
  const name = version === undefined ? kind : `${kind} ${version}`;
  if (missing !== undefined) {
    test(name, (t) => skipWithout(missing, t));
    return;
  }
  const shared = await startServer(kind, { version });
  const [servers, turn] = [limit(SERVERS_AT_ONCE), limit(atOnce)];
  const onOwnServer = (testCase: ConformanceCase) =>
    servers(() =>
      turn(
        async () => {
          const own = await startServer(kind, { version });
          try {
            return await runCase(testCase, harness(own, SIZE), { limitMs: LIMIT_MS });
          } finally {
            await own.close();
          }
        },
        { next: true },
      ),
    );
  const onShared = (testCase: ConformanceCase) =>
    turn(() => runCase(testCase, harness(shared, SIZE), { limitMs: LIMIT_MS }));
  describe(`${name} keeps the contract`, () => {
    afterAll(() => shared.close());
    // First what takes longest.
    for (const testCase of cases.filter(stopsServer)) declare(testCase, onOwnServer);
    for (const testCase of cases.filter((each) => !stopsServer(each))) declare(testCase, onShared);
  });
}

function declare(testCase: ConformanceCase, run: (testCase: ConformanceCase) => Promise<CaseResult>): void {
  const title = `${testCase.id} (${testCase.guarantees.join(", ")}): ${testCase.title}`;
  // Without a limit of the runner's, which would count the waiting: a case has its own.
  test(title, { concurrent: true, timeout: 0 }, async (t) => {
    const { status, reason, error } = await run(testCase);
    if (status === "skipped") t.skip(reason);
    if (status === "failed") throw error;
  });
}
