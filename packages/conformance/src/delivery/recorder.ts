import { ACK, type Clock, type Delivery, type DeliveryHandler, type Settlement } from "@intermodal/core/ports";
import { assert, equal } from "../assert.ts";

/** A delivery as it came in, kept after its end. */
export interface Seen {
  readonly delivery: Delivery;
  /** When, on the clock. */
  readonly at: number;
}

/** Notes every delivery that a handler was given. */
export class Recorder {
  readonly seen: Seen[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A handler that notes the delivery, then settles it as told; by default it acknowledges. */
  handle(settle: (delivery: Delivery) => Settlement | Promise<Settlement> = () => ACK): DeliveryHandler {
    return async (delivery) => {
      this.seen.push({ delivery, at: this.#clock.now() });
      return settle(delivery);
    };
  }

  get count(): number {
    return this.seen.length;
  }

  ids(): string[] {
    return this.seen.map(({ delivery }) => delivery.id);
  }

  of(id: string): Seen[] {
    return this.seen.filter(({ delivery }) => delivery.id === id);
  }

  /** Checks that exactly these messages came, each once, in any order. */
  assertEachOnce(expected: readonly string[], who: string): void {
    equal(this.ids().sort(), [...expected].sort(), `${who} gets each message once and no other`);
  }

  /**
   * The oracle for faults: nothing acknowledged is missing, nothing was invented. What came twice is tolerated.
   * @returns how many came more than once.
   */
  assertNoneLost(acknowledged: readonly string[], maySee: readonly string[] = acknowledged): number {
    const handled = new Set(this.ids());
    const lost = acknowledged.filter((id) => !handled.has(id));
    assert(
      lost.length === 0,
      `${lost.length} of ${acknowledged.length} acknowledged messages were never handled: ${lost.slice(0, 5).join(", ")}`,
    );
    const known = new Set(maySee);
    const invented = [...handled].filter((id) => !known.has(id));
    assert(invented.length === 0, `messages that nobody sent were handled: ${invented.slice(0, 5).join(", ")}`);
    return this.seen.length - handled.size;
  }
}

/** A promise that is resolved from outside. */
export interface Gate<T = void> {
  readonly opened: Promise<T>;
  open(value: T): void;
}

export function gate<T = void>(): Gate<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { opened: promise, open: resolve };
}
