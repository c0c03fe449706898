import { IntermodalError, isIntermodalError, messageOf } from "@intermodal/core/ports";

/** The oldest server that has all this adapter needs: consumers with several filters, metadata. */
export const OLDEST_SERVER = "2.10.0";

/** What the server answers in JetStream's API. */
export interface ApiError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

export const API = {
  accountLimit: 10002,
  consumerNotFound: 10014,
  consumerExistsAlready: 10148,
  consumerNameInUse: 10013,
  insufficientResources: 10023,
  maximumConsumers: 10026,
  maximumStreams: 10027,
  messageNotFound: 10037,
  notEnabledForAccount: 10039,
  storageExceeded: 10047,
  deleteFailed: 10057,
  messageTooLarge: 10054,
  sequenceNotFound: 10043,
  streamConfigInvalid: 10052,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  subjectsOverlap: 10065,
  replicasNotSupported: 10074,
  wrongLastSequence: 10071,
  notEnabled: 10076,
  storeFailed: 10077,
  duplicateInProgress: 10158,
  wrongLastSequenceUnknown: 10164,
} as const;

/** A refusal by JetStream's API, before it is known what it means to the caller. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly api: ApiError;

  constructor(api: ApiError) {
    super(`${api.description} (${api.err_code})`);
    this.api = api;
  }
}

export function isRefusal(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof ApiRefusal && codes.includes(error.api.err_code);
}

/** What it means to a caller that JetStream refused. */
export function refused(what: string, error: ApiError): IntermodalError {
  const { err_code, description } = error;
  const cause = new ApiRefusal(error);
  switch (err_code) {
    case API.notEnabled:
    case API.notEnabledForAccount:
      return new IntermodalError("CONFIG_INVALID", `${what}: ${NO_JETSTREAM}`, { cause });
    case API.messageTooLarge:
      return new IntermodalError(
        "PAYLOAD_TOO_LARGE",
        `${what}: larger than the stream's max_msg_size; raise it or send less`,
        { cause },
      );
    case API.storeFailed:
      return new IntermodalError(
        "UNAVAILABLE",
        `${what}: the stream is full (${description}); raise ${limitIn(description)} or work it off`,
        { cause },
      );
    case API.accountLimit:
    case API.insufficientResources:
    case API.storageExceeded:
      return new IntermodalError(
        "UNAVAILABLE",
        `${what}: the server or the account has no room left (${description}); raise JetStream's limits or free storage`,
        { cause },
      );
    case API.maximumConsumers:
    case API.maximumStreams:
      return new IntermodalError("CONFIG_INVALID", `${what}: ${description}; raise the account's limit`, { cause });
    case API.wrongLastSequence:
    case API.wrongLastSequenceUnknown:
      return new IntermodalError("CONFLICT", `${what}: ${description}`, { cause });
    case API.subjectsOverlap:
      return new IntermodalError(
        "CONFIG_INVALID",
        `${what}: another stream already takes its subjects; delete that stream or use another namespace`,
        { cause },
      );
    // Codes of the 500s, though they refuse settings.
    case API.streamConfigInvalid:
      return new IntermodalError("CONFIG_INVALID", `${what}: the server refused: ${description}`, { cause });
    case API.replicasNotSupported:
      return new IntermodalError(
        "CONFIG_INVALID",
        `${what}: ${description}; a server on its own keeps one replica: leave out replicas, or connect to a cluster`,
        { cause },
      );
    default:
      return error.code === 400
        ? new IntermodalError("CONFIG_INVALID", `${what}: the server refused: ${description}`, { cause })
        : new IntermodalError("UNAVAILABLE", `${what}: ${description}`, { cause });
  }
}

function limitIn(description: string): string {
  if (description.includes("bytes")) return "its max_bytes";
  return description.includes("messages") ? "its max_msgs" : "its limits";
}

export const NO_JETSTREAM =
  "JetStream is not enabled on this server or for this account; start nats-server with -js, or enable it for the account";

/** Any failure of a call as an error of the SDK. */
export function asIntermodal(what: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  if (error instanceof ApiRefusal) return refused(what, error.api);
  return new IntermodalError("UNAVAILABLE", `${what}: ${messageOf(error)}`, { cause: error, unknown: true });
}

export function unavailable(what: string, why: string, unknown = false): IntermodalError {
  return new IntermodalError("UNAVAILABLE", `${what}: ${why}`, { unknown });
}

export function closed(what: string): IntermodalError {
  return new IntermodalError("CLOSED", `${what}: the adapter has been closed`);
}

/** What no further attempt to connect can cure. */
const HOPELESS_TLS = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL|ERR_TLS|ERR_OSSL/;

/** Why the first connection to a server failed: `UNAVAILABLE` where trying again can help. */
export function connectFailure(servers: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const where = `the NATS server at ${servers}`;
  const { name } = error as { name?: unknown };
  const message = messageOf(error);
  if (name === "AuthorizationError" || name === "UserAuthenticationExpiredError")
    return new IntermodalError(
      "CONFIG_INVALID",
      `${where} refused the credentials: ${message}; check user, password, token, NKEY or JWT`,
    );
  if (/unexpected response from server/.test(message)) return notNats(servers, "another protocol");
  if (/does not support 'tls'|'tls' is not available/.test(message))
    return new IntermodalError(
      "CONFIG_INVALID",
      `${where} has no TLS: use "nats:" without TLS options, or enable it there`,
    );
  if (name === "InvalidArgumentError")
    return new IntermodalError("CONFIG_INVALID", `the connection options are refused: ${message}`);
  return (
    tlsFailure(where, error) ??
    new IntermodalError("UNAVAILABLE", `${where} cannot be reached: ${message}`, { cause: error })
  );
}

/** Undefined for what is no matter of certificates. */
export function tlsFailure(where: string, error: unknown): IntermodalError | undefined {
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (typeof code !== "string" || !HOPELESS_TLS.test(code)) return undefined;
  return new IntermodalError(
    "CONFIG_INVALID",
    `TLS with ${where} failed: ${typeof reason === "string" ? reason : messageOf(error)}; check the certificates in the connection options`,
    { cause: error },
  );
}

export function notNats(where: string, what: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `${where} is no NATS server: it speaks ${what}; check host and port`);
}
