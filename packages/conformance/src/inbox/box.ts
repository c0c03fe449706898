import type { Inbox } from "@intermodal/core/ports";
import { assert } from "../assert.ts";
import type { CaseContext, ConformanceCase } from "../case.ts";
import type { FaultName } from "../harness.ts";

/** Declares a case of this port; `box` is the first client. */
export function boxCase(
  name: string,
  guarantees: readonly string[],
  title: string,
  run: (t: CaseContext, box: Box) => Promise<void>,
  needs?: readonly FaultName[],
): ConformanceCase {
  return {
    id: `inbox/${name}`,
    subject: "inbox",
    guarantees,
    title,
    ...(needs === undefined ? {} : { needs }),
    run: async (t) => run(t, await openBox(t, "n1")),
  };
}

/** Another client's inbox, of a node of this name. */
export async function openBox(t: CaseContext, node: string, options?: { readonly namespace?: string }): Promise<Box> {
  const { inbox } = await t.open(options);
  assert(inbox !== undefined, "the adapter has an inbox");
  return new Box(inbox, node);
}

/** A time that does not run out while a case runs. */
export const LONG_MS = 3_600_000;
/** A time that a case waits out, and by how much: servers' clocks differ a little. */
export const SHORT_MS = 400;
export const PAST_MS = SHORT_MS + 150;

/** The port as one node calls it, with what most cases ask for as defaults. */
export class Box {
  readonly port: Inbox;
  readonly node: string;

  constructor(port: Inbox, node: string) {
    this.port = port;
    this.node = node;
  }

  reserve(messageId: string, { listener = "l", leaseMs = LONG_MS } = {}): Promise<"reserved" | "completed" | "busy"> {
    return this.port.reserve(listener, messageId, { leaseMs, node: this.node });
  }

  complete(messageId: string, { listener = "l", windowMs = LONG_MS } = {}): Promise<void> {
    return this.port.complete(listener, messageId, { windowMs });
  }

  release(messageId: string, listener = "l"): Promise<void> {
    return this.port.release(listener, messageId, { node: this.node });
  }
}
