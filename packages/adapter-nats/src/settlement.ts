import type { HeldDelivery } from "@intermodal/core/adapter";
import { persist } from "@intermodal/core/adapter";
import { isIntermodalError, type Settlement } from "@intermodal/core/ports";
import { copyOf } from "./headers.ts";
import type { PlaceNames } from "./names.ts";
import { AGAIN_MS, isFromNobody } from "./requests.ts";
import type { Session } from "./session.ts";
import { MS } from "./topology.ts";

/** What a delivery is settled with. */
export interface Raw {
  readonly ackSubject: string;
  /** In the stream that it came from. */
  readonly sequence: number;
  /** When the durable was made that delivered it. One that was made later gives it to somebody else, or has others of its number. */
  readonly durableCreated: string;
  /** When it came, as the consumption counts time. */
  readonly takenAt: number;
  /** Until when it is ours as far as we know, on our clock. Renewals move it. */
  leaseUntil: number;
}

export type Held = HeldDelivery<Raw>;

const encoder = new TextEncoder();
const ACK = encoder.encode("+ACK");
const NAK = encoder.encode("-NAK");
/** For what can neither be stored again nor be handled. */
const UNSTORABLE_MS = 60_000;

/** Resolves once it is known that the durable is still the one that delivered it, or that it is lost. */
export type Assure = (delivery: Held, options?: { readonly inDoubt?: boolean }) => Promise<void>;

/** Brings settlements of one place to the server. */
export class Settlements {
  readonly #session: Session;
  readonly #place: PlaceNames;
  readonly #assure: Assure;

  constructor(session: Session, place: PlaceNames, assure: Assure) {
    this.#session = session;
    this.#place = place;
    this.#assure = assure;
  }

  /** Resolves once the server has confirmed it, or the delivery was lost. */
  async settle(delivery: Held, settlement: Settlement): Promise<void> {
    switch (settlement.kind) {
      case "ack":
        return this.#confirm(delivery, ACK);
      case "leave":
        return;
      case "retry":
        if (settlement.counted && settlement.delayMs <= 0) return this.#confirm(delivery, NAK);
        return this.#replace(delivery, () => this.#again(delivery, settlement.delayMs, settlement.counted));
      case "dead-letter":
        return this.#replace(delivery, () => this.#bury(delivery, settlement.reason, settlement.attempts));
    }
  }

  /** What no handler was given goes back as it came. */
  handBack(delivery: Held): Promise<void> {
    return this.#replace(delivery, () => this.#again(delivery, 0, false));
  }

  /** Another copy takes its place: stored first, so that whatever dies in between can double it but never lose it. */
  async #replace(delivery: Held, store: () => Promise<number>): Promise<void> {
    await this.#assure(delivery);
    if (this.#isLost(delivery)) return;
    try {
      await store();
    } catch (error) {
      if (isIntermodalError(error, "CLOSED")) return;
      if (!(await this.#storeAfter(error, delivery, store))) return;
    }
    await this.#confirm(delivery, ACK);
  }

  async #storeAfter(failure: unknown, delivery: Held, store: () => Promise<number>): Promise<boolean> {
    const { clock, logger } = this.#session;
    if (isIntermodalError(failure, "PAYLOAD_TOO_LARGE")) {
      // Only a message of another publisher's, which left no room for headers.
      logger.error(`${this.#place.title}: message ${delivery.id} is too long to be stored again; it stays where it is`);
      await this.#confirm(delivery, encoder.encode(`-NAK {"delay":${UNSTORABLE_MS * MS}}`));
      return false;
    }
    if (!isIntermodalError(failure, "UNAVAILABLE")) throw failure;
    await persist(
      async () => {
        if (!this.#isLost(delivery)) await store();
      },
      { clock, signal: delivery.signal },
    ).catch((error: unknown) => {
      if (!delivery.isLost) throw error;
    });
    return !this.#isLost(delivery);
  }

  #again(delivery: Held, delayMs: number, counted: boolean): Promise<number> {
    const { names, publisher } = this.#session;
    const { id, type, sentAt, attempt, body } = delivery;
    const { title, stream, target, delayed } = this.#place;
    const carried = { id, type, sentAt, tries: counted ? attempt : attempt - 1 };
    const common = {
      what: `${title}: message ${id}, to be tried again`,
      messageId: this.#messageId("c", delivery),
      // Later it is somebody else's, who settles it: a copy of ours would be one too many.
      deadline: delivery.raw.leaseUntil,
      carried,
      body,
    };
    if (delayMs <= 0) return publisher.publish({ ...common, stream, subject: target });
    const delay = { delayMs: Math.min(Math.ceil(delayMs), MAX_DELAY_MS), target };
    return publisher.publish({ ...common, stream: names.tasks, subject: delayed, delay });
  }

  #bury(delivery: Held, reason: string, attempts = delivery.attempt): Promise<number> {
    const { names, publisher } = this.#session;
    const { id, type, sentAt, body } = delivery;
    const { title, dead } = this.#place;
    return publisher.publish({
      what: `${title}: message ${id}, to be a dead letter`,
      stream: names.tasks,
      subject: dead,
      messageId: this.#messageId("d", delivery),
      deadline: delivery.raw.leaseUntil,
      carried: { id, type, sentAt, tries: 0, reason, attempts },
      body,
    });
  }

  /** One copy has one successor of a kind, however often its holder has to begin anew. */
  #messageId(kind: "c" | "d", { raw }: Held): string {
    return `~${kind}.${this.#place.durable}.${copyOf(raw.ackSubject)}`;
  }

  /** Until the server has confirmed it or the lease has run out; renewals go on meanwhile. */
  async #confirm(delivery: Held, payload: Uint8Array): Promise<void> {
    const { connection, clock } = this.#session;
    const { raw } = delivery;
    const what = `${this.#place.title}: message ${delivery.id}`;
    // Not sooner: in a cluster the election of a leader may take most of a lease.
    const enoughAt = raw.leaseUntil;
    await this.#assure(delivery);
    while (!this.#isLost(delivery)) {
      const deadline = Math.min(raw.leaseUntil, clock.now() + AGAIN_MS);
      try {
        // Before it is written again it must be known to be ours still: it names no more than durable and number, which one made anew has too.
        const written = { subject: raw.ackSubject, payload, deadline, what, once: true, orNobody: true };
        const answer = await connection.requests.send(written);
        if (!isFromNobody(answer)) return;
      } catch (error) {
        // Nobody waits for it any more.
        if (isIntermodalError(error, "CLOSED")) return;
        if (!isIntermodalError(error, "UNAVAILABLE")) throw error;
        // A nak that is repeated would take the message from whoever has it by then.
        if (error.unknown && payload !== ACK) delivery.lose();
        // A server that was killed may have forgotten that it ever delivered this: such an acknowledgement has no effect and no answer, while
        // renewals are answered as ever. It will deliver it again, for which the place must become free.
        if (error.unknown && connection.isUp && clock.now() >= enoughAt) delivery.lose();
      }
      await this.#assure(delivery, { inDoubt: true });
    }
  }

  /** Timers don't run while the event loop is blocked, so it is asked for here too. */
  #isLost(delivery: Held): boolean {
    if (delivery.raw.leaseUntil <= this.#session.clock.now()) delivery.lose();
    return delivery.isLost;
  }
}

/** About ten years: as long as dates stay sensible. */
export const MAX_DELAY_MS = 3_650 * 24 * 3_600_000;
