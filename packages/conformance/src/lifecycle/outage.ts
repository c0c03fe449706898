import { IntermodalError } from "@intermodal/core/ports";
import type { AppProcess } from "./world.ts";

/** Ports that one process cannot reach, or whose answers it does not get. Everybody else reaches them. */
export class Outage {
  readonly #away = new Set<string>();
  readonly #toLose = new Map<string, number>();
  #breaking: string | undefined;

  /** @param reaching what a call that gets through goes by on its way, such as a gate. */
  constructor(process: AppProcess, reaching: (name: string) => Promise<void> = async () => {}) {
    process.switched.around = async ({ name, kind }, run) => {
      if (kind === "settlement") return run();
      await reaching(name);
      const port = name.slice(0, name.indexOf("."));
      if (this.#away.has(port) || this.#away.has(name)) throw unavailable(name, false);
      const answer = await run();
      if (this.#breaking === name) {
        this.#breaking = undefined;
        this.#away.add(port);
        throw unavailable(name, true);
      }
      const left = this.#toLose.get(name) ?? 0;
      if (left === 0) return answer;
      this.#toLose.set(name, left - 1);
      throw unavailable(name, true);
    };
  }

  /** Of a port, such as `taskStateStore`, or of one method, such as `commandBus.send`. */
  begin(name: string): void {
    this.#away.add(name);
  }

  end(name: string): void {
    this.#away.delete(name);
  }

  /** The next call of a method takes effect, its answer is lost, and from that moment on its port is away. */
  beginDuring(name: string): void {
    this.#breaking = name;
  }

  /** The next calls of a method take effect, but their answers are lost. */
  loseAnswers(name: string, count = 1): void {
    this.#toLose.set(name, count);
  }

  /** How many answers of a method are still to be lost. */
  toLose(name: string): number {
    return this.#toLose.get(name) ?? 0;
  }
}

function unavailable(name: string, unknown: boolean): IntermodalError {
  const what = unknown ? "the answer was lost" : "cannot be reached";
  return new IntermodalError("UNAVAILABLE", `${name}: ${what}`, { unknown });
}
