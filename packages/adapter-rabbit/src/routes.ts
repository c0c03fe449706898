import { MAX_DELAY_MS, rungFor } from "./delays.ts";
import type { Place } from "./names.ts";
import type { Route } from "./publication.ts";
import type { Topology } from "./topology.ts";

/** How messages get where they should, with what has to exist for it. */
export class Routes {
  /** To every listener's queue that is bound to the type. */
  readonly #topology: Topology;
  readonly #toPlaces = new Map<string, Route>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Events of a type. */
  event(type: string): Route {
    const { base, names } = this.#topology;
    return { exchange: names.events, routingKey: type, needs: [base] };
  }

  /** To a place's queue, at once. */
  to(place: Place): Route {
    let route = this.#toPlaces.get(place.queue);
    if (route === undefined) {
      route = this.#direct(place, place.queue);
      this.#toPlaces.set(place.queue, route);
    }
    return route;
  }

  /** To a place's dead letters. */
  dead(place: Place): Route {
    return this.#direct(place, place.dead);
  }

  /** To a place's queue after a delay; the message's expiration says how long it is. */
  later(place: Place, delayMs: number): Route {
    const { base, names } = this.#topology;
    const rung = rungFor(Math.min(delayMs, MAX_DELAY_MS));
    return {
      exchange: names.delays,
      routingKey: `${rung}.${place.queue}`,
      needs: [base, this.#topology.place(place), this.#topology.rung(rung)],
    };
  }

  #direct(place: Place, routingKey: string): Route {
    const { base, names } = this.#topology;
    return { exchange: names.direct, routingKey, needs: [base, this.#topology.place(place)] };
  }
}
