import type { Subject } from "@intermodal/conformance";
import type { Adapter } from "@intermodal/core/ports";
import type { MemoryAdapter } from "../../packages/core/src/memory/adapter.ts";
import type { MemoryServer } from "../../packages/core/src/memory/server.ts";

/** One broken promise: an adapter that is right in everything but this. */
export interface Sabotage {
  /** What it does wrong, such as `acknowledges before the handler`. */
  readonly name: string;
  /** The port it breaks: cases of other ports must still pass. Or `lifecycle`, for what breaks the life of tasks across ports. */
  readonly subject: Subject;
  /** Ids of the cases that must fail: of this port, or of the lifecycle, which rests on all of them. */
  readonly breaks: readonly string[];
  /** Breaks one client of the server; called for each that a case opens. What clients share hangs on the server ({@link perServer}). */
  wrap(adapter: MemoryAdapter, server: MemoryServer): Adapter;
}

/** State that all clients of one server share, made at first use. */
export function perServer<State>(make: () => State): (server: MemoryServer) => State {
  const states = new WeakMap<MemoryServer, State>();
  return (server) => {
    let state = states.get(server);
    if (state === undefined) {
      state = make();
      states.set(server, state);
    }
    return state;
  };
}

/** The same object with some of its members replaced. The rest works on the original, private fields included. */
export function override<T extends object>(original: T, members: Partial<T>): T {
  return new Proxy(original, {
    get(target, key) {
      if (Object.hasOwn(members, key)) return Reflect.get(members, key);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
