import type { Clock } from "@intermodal/core/ports";
import { IntermodalError } from "@intermodal/core/ports";
import type { ConsumerConfig, ConsumerInfo, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import type { Connection } from "./connection.ts";
import { API, type ApiError, ApiRefusal, asIntermodal, isRefusal, NO_JETSTREAM, unavailable } from "./errors.ts";
import type { Settings } from "./options.ts";

/** A stored message as the API returns it. */
export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data?: string;
  readonly hdrs?: string;
  readonly time: string;
}

const encoder = new TextEncoder();

/** The calls of JetStream's API that the adapter needs. All may be repeated: they are, when a connection comes back before their answer. */
export class JetStreamApi {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #clock: Clock;

  constructor(connection: Connection, settings: Settings, clock: Clock) {
    this.#connection = connection;
    this.#settings = settings;
    this.#clock = clock;
  }

  createStream(config: Partial<StreamConfig>): Promise<StreamInfo> {
    return this.#call(`STREAM.CREATE.${config.name}`, config);
  }

  updateStream(config: Partial<StreamConfig>): Promise<StreamInfo> {
    return this.#call(`STREAM.UPDATE.${config.name}`, config);
  }

  streamInfo(stream: string): Promise<StreamInfo | undefined> {
    return this.#find(this.#call<StreamInfo>(`STREAM.INFO.${stream}`), API.streamNotFound);
  }

  /** What the clock of the stream's leader shows at least; ours where it does not tell. */
  async timeOf(stream: string): Promise<number> {
    const { ts } = await this.#call<{ ts?: string }>(`STREAM.INFO.${stream}`);
    return ts === undefined ? this.#clock.now() : Date.parse(ts);
  }

  /** How many messages of this subject a stream holds; no such stream holds none. */
  async count(stream: string, subject: string): Promise<number> {
    const info = await this.#find(
      this.#call<StreamInfo>(`STREAM.INFO.${stream}`, { subjects_filter: subject }),
      API.streamNotFound,
    );
    return info?.state.subjects?.[subject] ?? 0;
  }

  /** Removes what has this subject. */
  purge(stream: string, filter: string): Promise<unknown> {
    return this.#find(this.#call(`STREAM.PURGE.${stream}`, { filter }), API.streamNotFound);
  }

  /** The first message from `seq` on that has this subject. */
  async nextMessage(stream: string, subject: string, seq: number): Promise<StoredMessage | undefined> {
    const call = this.#call<{ message: StoredMessage }>(`STREAM.MSG.GET.${stream}`, { seq, next_by_subj: subject });
    return (await this.#find(call, API.messageNotFound, API.streamNotFound))?.message;
  }

  async lastMessage(stream: string, subject: string): Promise<StoredMessage | undefined> {
    const call = this.#call<{ message: StoredMessage }>(`STREAM.MSG.GET.${stream}`, { last_by_subj: subject });
    return (await this.#find(call, API.messageNotFound, API.streamNotFound))?.message;
  }

  async message(stream: string, seq: number): Promise<StoredMessage | undefined> {
    const call = this.#call<{ message: StoredMessage }>(`STREAM.MSG.GET.${stream}`, { seq });
    return (await this.#find(call, API.messageNotFound, API.streamNotFound))?.message;
  }

  /** @returns whether it was there; also when it may have been this call that removed it, whose first answer was lost. */
  async deleteMessage(stream: string, seq: number): Promise<boolean> {
    let twice = false;
    const onAgain = () => {
      twice = true;
    };
    const call = this.#call<{ success: boolean }>(`STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true }, onAgain);
    return (await this.#find(call, API.deleteFailed, API.sequenceNotFound, API.messageNotFound))?.success ?? twice;
  }

  consumerInfo(stream: string, durable: string): Promise<ConsumerInfo | undefined> {
    const call = this.#call<ConsumerInfo>(`CONSUMER.INFO.${stream}.${durable}`);
    return this.#find(call, API.consumerNotFound, API.streamNotFound);
  }

  /** Creates or updates it. */
  putConsumer(stream: string, config: Partial<ConsumerConfig>): Promise<ConsumerInfo> {
    const body = { stream_name: stream, config: { ...config, name: config.durable_name }, action: "" };
    return this.#call(`CONSUMER.CREATE.${stream}.${config.durable_name}`, body);
  }

  deleteConsumer(stream: string, durable: string): Promise<unknown> {
    return this.#find(this.#call(`CONSUMER.DELETE.${stream}.${durable}`), API.consumerNotFound, API.streamNotFound);
  }

  /** Undefined in place of these refusals. */
  async #find<T>(call: Promise<T>, ...absent: readonly number[]): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isRefusal(error, ...absent)) return undefined;
      throw error;
    }
  }

  /** @throws {ApiRefusal}; `UNAVAILABLE`, `CONFIG_INVALID` where there is no JetStream, `CLOSED`. */
  async #call<T>(name: string, body?: unknown, onAgain?: () => void): Promise<T> {
    const what = `JetStream ${name}`;
    await this.#connection.ready(what, this.#settings.sendTimeoutMs);
    const answer = await this.#connection.requests.send({
      subject: `${this.#settings.apiPrefix}.${name}`,
      payload: body === undefined ? new Uint8Array() : encoder.encode(JSON.stringify(body)),
      deadline: this.#clock.now() + this.#settings.sendTimeoutMs,
      what,
      orNobody: true,
      onAgain,
    });
    if (answer.data.length === 0) throw this.#nobodyAnswers(what);
    const result = answer.json<{ error?: ApiError }>();
    if (result.error !== undefined) throw new ApiRefusal(result.error);
    return result as T;
  }

  #nobodyAnswers(what: string): IntermodalError {
    const { domain, apiPrefix } = this.#settings;
    if (domain === undefined && apiPrefix === "$JS.API" && this.#connection.client?.info?.jetstream !== true)
      return new IntermodalError("CONFIG_INVALID", `${what}: ${NO_JETSTREAM}`);
    return unavailable(what, "JetStream does not answer yet");
  }
}

/** Turns what the API refused into errors of the SDK. */
export async function told<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw asIntermodal(what, error);
  }
}
