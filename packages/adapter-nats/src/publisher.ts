import { type Clock, IntermodalError, isIntermodalError, sleep } from "@intermodal/core/ports";
import type { Connection } from "./connection.ts";
import { API, type ApiError, asIntermodal, refused, unavailable } from "./errors.ts";
import { encodeHeaders, type Stored } from "./headers.ts";
import type { Topology } from "./topology.ts";

/** A message on its way into a stream. */
export interface Publication extends Stored {
  readonly subject: string;
  readonly body: Uint8Array;
  /** In errors. */
  readonly what: string;
  /** On the clock: nothing is written from then on. @default when the timeout is over */
  readonly deadline?: number | undefined;
}

interface Ack {
  readonly error?: ApiError;
  readonly seq: number;
  readonly duplicate?: boolean;
}

/** Beyond about this many unconfirmed messages, more bring no more speed. */
const WINDOW = 512;
const PAUSE_MS = 200;

/** Brings messages into streams: resolves once the server holds them, and recognises what it had already. */
export class Publisher {
  readonly #connection: Connection;
  readonly #topology: Topology;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #unconfirmed = 0;
  #waiting: (() => void)[] = [];
  /** Of `#waiting`, so many have been let through. */
  #let = 0;

  constructor(connection: Connection, topology: Topology, clock: Clock, timeoutMs: number) {
    this.#connection = connection;
    this.#topology = topology;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @returns the sequence; of a repetition that of the first.
   * @throws `UNAVAILABLE`, `PAYLOAD_TOO_LARGE`, `CLOSED`; with `unknown` where it may be held all the same.
   */
  async publish(publication: Publication): Promise<number> {
    const now = this.#clock.now();
    const deadline = Math.min(now + this.#timeoutMs, publication.deadline ?? Number.POSITIVE_INFINITY);
    if (!this.#connection.isUp) await this.#connection.ready(publication.what, deadline - now);
    if (!this.#topology.isEnsured) await this.#before(deadline, publication.what, this.#topology.ensure());
    if (this.#unconfirmed >= WINDOW) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#unconfirmed++;
    try {
      return await this.#confirmed(publication, deadline);
    } finally {
      this.#next();
    }
  }

  #before(deadline: number, what: string, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.schedule(deadline - this.#clock.now(), () =>
        reject(unavailable(what, "the server did not answer in time")),
      );
      work.then(resolve, reject).finally(cancel);
    });
  }

  /** Whoever waits takes over the place in the window. */
  #next(): void {
    const next = this.#waiting[this.#let++];
    if (next !== undefined) {
      next();
      return;
    }
    this.#waiting = [];
    this.#let = 0;
    this.#unconfirmed--;
  }

  async #confirmed(publication: Publication, deadline: number): Promise<number> {
    const { subject, body, what } = publication;
    /** Something written before may be held, whatever is answered to what is written now. */
    let lost = false;
    const onAgain = () => {
      lost = true;
    };
    const headers = encodeHeaders(publication);
    const request = { subject, payload: body, headers, deadline, what, orNobody: true, onAgain };
    try {
      for (let why = "what was sent before it has not been confirmed in time"; ; why = "no stream takes it") {
        if (this.#clock.now() >= deadline) throw unavailable(what, why);
        const answer = await this.#connection.requests.send(request);
        if (answer.data.length > 0) {
          const ack = answer.json<Ack>();
          if (ack.error === undefined) return ack.seq;
          // The first sending of this id is still on its way through the cluster: its own answer is what counts.
          if (ack.error.err_code !== API.duplicateInProgress) throw refused(what, ack.error);
          lost = true;
        } else {
          await this.#topology.ensureAgain();
        }
        await sleep(this.#clock, PAUSE_MS);
      }
    } catch (error) {
      const failure = this.#failure(what, error);
      if (!lost || failure.unknown) throw failure;
      throw new IntermodalError(failure.code, failure.message, { cause: failure, unknown: true });
    }
  }

  #failure(what: string, error: unknown): IntermodalError {
    if (/max_payload/.test(String(error)) && !isIntermodalError(error))
      return new IntermodalError(
        "PAYLOAD_TOO_LARGE",
        `${what}: with its headers it is longer than the server's max_payload of ${this.#connection.maxPayload} bytes`,
      );
    return asIntermodal(what, error);
  }
}
