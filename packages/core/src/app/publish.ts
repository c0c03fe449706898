import type { AnyCommandContract, AnyEventContract } from "../contracts/index.ts";
import { parseWith } from "../contracts/index.ts";
import { IntermodalError } from "../errors.ts";
import { encodeCommand, transportId } from "../wire/envelope.ts";
import { newId } from "../wire/ids.ts";
import { toJson, toJsonObject } from "../wire/json.ts";
import { checkId } from "../wire/names.ts";
import { childTraceparent, newTraceparent } from "../wire/trace.ts";
import { currentScope } from "../worker/scope.ts";
import type { Runtime } from "./runtime.ts";

/** How one command is sent. */
export interface SendOptions {
  /**
   * Makes sending idempotent within the broker's window: two commands of one id and queue are one, whatever their types.
   * @default a new unique id
   */
  readonly id?: string | undefined;
  /** @default 0 */
  readonly delayMs?: number | undefined;
}

/** How one event is published. */
export interface PublishOptions {
  /**
   * Makes publishing idempotent within the broker's window and the listeners' inboxes: two events of one id are one, whatever their types.
   * @default a new unique id
   */
  readonly id?: string | undefined;
}

/** Sends a command: the bus alone knows of it. */
export async function sendCommand(
  runtime: Runtime,
  contract: AnyCommandContract,
  input: unknown,
  options: SendOptions,
): Promise<void> {
  const what = `input of command "${contract.name}"`;
  await parseWith(contract.input, input, what);
  const id = options.id === undefined ? newId() : checkId("a command id", options.id);
  const { delayMs } = options;
  if (delayMs !== undefined && !(Number.isFinite(delayMs) && delayMs >= 0)) {
    throw new IntermodalError("VALIDATION_FAILED", `delayMs must be a number of milliseconds, not ${String(delayMs)}`);
  }
  const body = encodeCommand({
    id,
    type: contract.name,
    version: contract.version,
    source: runtime.surroundings.name,
    time: runtime.surroundings.clock.now(),
    queue: contract.queue,
    data: toJson(input, what),
    ...causation(id),
  });
  // A task's id is never one of a plain command: no series is 0.
  await runtime.send({ queue: contract.queue, id: transportId(id, 0, 0), type: contract.name, body, delayMs });
}

/** Publishes an event, stamped with id, time and version. */
export async function publishEvent(
  runtime: Runtime,
  contract: AnyEventContract,
  data: unknown,
  options: PublishOptions,
): Promise<void> {
  const what = `data of event "${contract.name}"`;
  if (contract.data !== undefined) await parseWith(contract.data, data, what);
  const id = options.id === undefined ? newId() : checkId("an event id", options.id);
  const body = runtime.surroundings.codec.encode({
    id,
    type: contract.name,
    version: contract.version,
    source: runtime.surroundings.name,
    time: runtime.surroundings.clock.now(),
    data: toJsonObject(data, what),
    ...causation(id),
  });
  await runtime.publish({ id, type: contract.name, body });
}

/** Where a message comes from: the handler that sends it, or nothing. */
export function causation(id: string): {
  readonly traceparent: string;
  readonly correlationId: string;
  readonly causationId: string | undefined;
} {
  const scope = currentScope();
  return {
    traceparent: scope?.traceparent === undefined ? newTraceparent() : childTraceparent(scope.traceparent),
    correlationId: scope?.correlationId ?? id,
    causationId: scope?.id,
  };
}
