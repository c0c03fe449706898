import type { Clock } from "@intermodal/core/ports";
import { createInbox, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { unavailable } from "./errors.ts";

export interface Request {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
  /** On the clock: past it the request rejects. */
  readonly deadline: number;
  /** In errors. */
  readonly what: string;
  /** It must not take effect twice: where its answer is lost, it rejects at once. @default false */
  readonly once?: boolean | undefined;
  /** Resolves, with an empty answer, when the server says that nobody listens on its subject. @default false: then it is written again until the deadline */
  readonly orNobody?: boolean | undefined;
  /** It is about to be written once more, though what was written before may have arrived. */
  readonly onAgain?: (() => void) | undefined;
}

interface Outstanding extends Request {
  deadline: number;
  /** How long it may take. */
  readonly timeoutMs: number;
  readonly resolve: (answer: Msg) => void;
  readonly reject: (error: Error) => void;
  /** How often it was written without our having an answer: each may have taken effect. */
  unanswered: number;
  writtenAt: number;
}

const SWEEP_MS = 200;
const NOBODY_LISTENS = 503;
/** In a cluster, what was sent to a leader that died is never answered, though the connection stands. */
export const AGAIN_MS = 2_000;

/**
 * Requests whose answers come over one subscription, each with a token of its own: no subscription, timer or error object per request. What is
 * still unanswered after a while, or when a connection comes back, is written again; so is what nobody listened to, as for some seconds after the leader of
 * a stream or consumer was lost. Nothing is written while the connection is down: the client would drop it at the next reconnect.
 */
export class Requests {
  readonly #clock: Clock;
  readonly #outstanding = new Map<string, Outstanding>();
  #inbox = "";
  #client: NatsConnection | undefined;
  /** Keeps its subscription over its reconnects. */
  #subscribed: NatsConnection | undefined;
  #subscription: Subscription | undefined;
  #next = 0;
  #sweeping = false;
  #ended: ((what: string) => Error) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers come from this client now, which is connected: what is outstanding is written to it. */
  up(client: NatsConnection, inboxPrefix: string | undefined): void {
    if (this.#subscribed !== client) this.#subscribe(client, inboxPrefix);
    this.#client = client;
    for (const [token, request] of this.#outstanding) {
      if (mayBeWritten(request)) this.#write(token, request);
      else this.#giveUp(token, request);
    }
  }

  down(): void {
    this.#client = undefined;
  }

  /**
   * @throws `UNAVAILABLE` past the deadline, with `unknown` when the request may have arrived; whatever the client throws on writing (a payload past the
   * server's limit); what `end` was given.
   */
  send(request: Request): Promise<Msg> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended(request.what));
    return new Promise((resolve, reject) => {
      const token = (this.#next++).toString(36);
      const timeoutMs = request.deadline - this.#clock.now();
      const outstanding: Outstanding = { ...request, timeoutMs, resolve, reject, unanswered: 0, writtenAt: 0 };
      this.#outstanding.set(token, outstanding);
      if (!this.#sweeping) this.#sweepLater();
      this.#write(token, outstanding);
    });
  }

  /** Rejects everything with the error that `why` makes, what is sent from now on too. */
  end(why: (what: string) => Error): void {
    this.#ended = why;
    this.#subscription?.unsubscribe();
    this.down();
    for (const request of this.#outstanding.values()) request.reject(why(request.what));
    this.#outstanding.clear();
  }

  #subscribe(client: NatsConnection, inboxPrefix: string | undefined): void {
    this.#inbox = `${createInbox(inboxPrefix)}.`;
    const prefix = this.#inbox.length;
    this.#subscription = client.subscribe(`${this.#inbox}*`, {
      callback: (error, answer) => {
        if (error === null) this.#answer(answer.subject.slice(prefix), answer);
      },
    });
    this.#subscribed = client;
  }

  #write(token: string, request: Outstanding): void {
    if (this.#client === undefined || request.deadline <= this.#clock.now()) return;
    const { subject, payload, headers } = request;
    if (request.unanswered > 0) request.onAgain?.();
    try {
      this.#client.publish(subject, payload, { reply: this.#inbox + token, ...(headers && { headers }) });
      request.unanswered++;
      request.writtenAt = this.#clock.now();
    } catch (error) {
      if (this.#client.isClosed()) return;
      this.#outstanding.delete(token);
      request.reject(error as Error);
    }
  }

  #answer(token: string, answer: Msg): void {
    const request = this.#outstanding.get(token);
    if (request === undefined) return;
    if (!request.orNobody && isFromNobody(answer)) {
      // That writing had no effect: the next sweep writes again.
      request.unanswered--;
      request.writtenAt = 0;
      return;
    }
    this.#outstanding.delete(token);
    request.resolve(answer);
  }

  #sweepLater(): void {
    this.#sweeping = true;
    this.#clock.schedule(SWEEP_MS, () => {
      this.#sweeping = false;
      const now = this.#clock.now();
      for (const [token, request] of this.#outstanding) {
        // Not later, should the clock have been set back meanwhile.
        request.deadline = Math.min(request.deadline, now + request.timeoutMs);
        request.writtenAt = Math.min(request.writtenAt, now);
        if (request.deadline <= now) this.#giveUp(token, request);
        else if (mayBeWritten(request) && now - request.writtenAt >= AGAIN_MS) this.#write(token, request);
      }
      if (this.#outstanding.size > 0) this.#sweepLater();
    });
  }

  #giveUp(token: string, request: Outstanding): void {
    this.#outstanding.delete(token);
    const unknown = request.unanswered > 0;
    const why = unknown ? "the server's answer did not come in time" : "the server could not be reached in time";
    request.reject(unavailable(request.what, why, unknown));
  }
}

/** The server says that nobody listens on the subject: the request had no effect. */
export function isFromNobody({ data, headers }: Msg): boolean {
  return data.length === 0 && headers?.code === NOBODY_LISTENS;
}

function mayBeWritten({ once, unanswered }: Outstanding): boolean {
  return !once || unanswered === 0;
}
