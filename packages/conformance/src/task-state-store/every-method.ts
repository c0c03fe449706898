import type { TaskStateStore } from "@intermodal/core/ports";
import { claimOf, errorInfo, type Store } from "./store.ts";

/** One call of each method that answers, harmless on a record that does not exist. */
export function everyMethod(
  port: TaskStateStore,
  store: Store,
): readonly (readonly [string, () => Promise<unknown> | undefined])[] {
  const id = "none";
  const lease = { id, token: 1, leaseMs: 1_000 };
  return [
    ["create", () => port.create([store.draft(id)])],
    ["get", () => port.get([id])],
    ["list", () => port.list({})],
    ["markSent", () => port.markSent([{ id, series: 1, send: 1 }])],
    ["withdraw", () => port.withdraw([{ id, series: 1, send: 1 }])],
    ["retain", () => port.retain(id, undefined)],
    ["claim", () => port.claim([claimOf(id)])],
    ["renew", () => port.renew([lease])],
    ["reserve", () => port.reserve([{ ...lease, key: "k", childId: "c" }])],
    [
      "settle",
      () =>
        port.settle([{ ...lease, outcome: { kind: "failed", status: "FAILED", error: errorInfo() }, resend: false }]),
    ],
    ["childEnded", () => port.childEnded([{ parentId: id, key: "k", childId: "c", status: "COMPLETED", series: 1 }])],
    ["requestCancel", () => port.requestCancel([id])],
    ["reopen", () => port.reopen({ id, series: 1 })],
    ["reopenChild", () => port.reopenChild({ parentId: id, key: "k", childId: "c", childSeries: 2 })],
    ["recover", () => port.recover({ node: "sweeper", leaseMs: 1, graceMs: 60_000, limit: 1 })],
    ["dutiesDone", () => port.dutiesDone([{ id, series: 1, duties: ["announce"] }])],
  ];
}
