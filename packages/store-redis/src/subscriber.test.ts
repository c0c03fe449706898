import { systemClock } from "@intermodal/core/ports";
import { expect, test, vi } from "vitest";
import { closed } from "./errors.ts";
import type { Link, LinkOptions } from "./link.ts";
import { Subscriber } from "./subscriber.ts";

/** A connection that is away until it is closed, or until it is refused. */
function awayFor(logger: { warn: () => void }) {
  const closing = new AbortController();
  const { promise, reject } = Promise.withResolvers<Link>();
  const ready = vi.fn(() => promise);
  const connection = { link: undefined, closing: closing.signal, ready };
  const options = { name: "node", clock: systemClock, logger } as unknown as LinkOptions;
  new Subscriber(connection, options).add("im:wake", { onMessage: () => {}, onGap: () => {} });
  return { closing, ready, reject };
}

test("closing during an outage is no news; that subscribing is refused is some", async () => {
  const warn = vi.fn();
  const away = awayFor({ warn });
  await vi.waitFor(() => expect(away.ready).toHaveBeenCalled());
  away.closing.abort();
  away.reject(closed("subscribe"));
  const refused = awayFor({ warn });
  refused.reject(new Error("NOPERM"));
  await vi.waitFor(() => expect(warn).toHaveBeenCalled());
  refused.closing.abort();
  expect(warn.mock.calls).toEqual([[expect.any(String), { error: "NOPERM" }]]);
});
