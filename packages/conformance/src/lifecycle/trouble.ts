import { IntermodalError } from "@intermodal/core/ports";
import type { CaseContext } from "../case.ts";
import { WITHOUT_EFFECT } from "./crash-points.ts";
import type { Around } from "./switched-ports.ts";
import { type AppProcess, LEASE_MS } from "./world.ts";

/** What a process that lives may suffer. */
export type Trouble = "refused" | "lost" | "outage" | "cut";

const AWAY_MS = 3 * LEASE_MS;

/** A process that has trouble at one moment of what it does. */
export class Troubled {
  readonly #t: CaseContext;
  readonly #process: AppProcess;
  readonly #options: { readonly at: number; readonly trouble: Trouble; readonly passed: string[] };
  #awayUntil = 0;

  /** @param options.at the number, from 1, of the call at which it begins; none where it is 0. @param options.passed takes what the calls were. */
  constructor(
    t: CaseContext,
    process: AppProcess,
    options: { readonly at: number; readonly trouble: Trouble; readonly passed: string[] },
  ) {
    this.#t = t;
    this.#process = process;
    this.#options = options;
    process.switched.around = this.#around;
  }

  readonly #around: Around = async (call, run) => {
    const { at, trouble, passed } = this.#options;
    // Beginning to consume keeps trying by itself: a port's case.
    if (call.kind === "settlement" || /\.(?:work|listen|close)$/.test(call.name)) return run();
    if (this.#t.clock.now() < this.#awayUntil) throw away(call.name);
    if (trouble !== "refused" && WITHOUT_EFFECT.test(call.name)) return run();
    passed.push(call.name);
    if (passed.length !== at) return run();
    switch (trouble) {
      case "refused":
        throw away(call.name);
      case "lost":
        await run();
        throw new IntermodalError("UNAVAILABLE", `${call.name}: the answer was lost`, { unknown: true });
      case "outage":
        this.#awayUntil = this.#t.clock.now() + AWAY_MS;
        throw away(call.name);
      case "cut":
        await this.#t.faults.cut(this.#process.adapter);
        this.#t.clock.schedule(AWAY_MS, () => void this.#t.faults.mend(this.#process.adapter));
        return run();
    }
  };
}

function away(name: string): IntermodalError {
  return new IntermodalError("UNAVAILABLE", `${name}: the server is away`);
}
