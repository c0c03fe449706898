import type { Session } from "./session.ts";
import { encodeText } from "./text.ts";
import type { CollectionSpec } from "./topology.ts";
import { upsert } from "./upsert.ts";

interface SweepDocument {
  readonly _id: string;
  readonly node: string;
  readonly until: Date;
  readonly asked_at: Date;
}

/** Which node does what only one node does at a time. */
const SWEEPS: CollectionSpec = { part: "sweeps", indexes: [] };

/**
 * Keeps other nodes out of a job for `leaseMs`, in one atomic step.
 * @returns the server's time, or `undefined` while another node is at it.
 */
export async function holdSweep(
  session: Session,
  job: string,
  node: string,
  leaseMs: number,
): Promise<number | undefined> {
  const mine = { $literal: encodeText(node) };
  const isFree = { $or: [{ $not: [{ $gt: ["$until", "$$NOW"] }] }, { $eq: ["$node", mine] }] };
  const set = {
    node: { $cond: [isFree, mine, "$node"] },
    until: { $cond: [isFree, { $add: ["$$NOW", leaseMs] }, "$until"] },
    asked_at: "$$NOW",
  };
  const sweep = await session.call<SweepDocument, SweepDocument>(job, SWEEPS, (sweeps) =>
    upsert(sweeps, job, set, session.clock),
  );
  return sweep.node === encodeText(node) ? sweep.asked_at.getTime() : undefined;
}
