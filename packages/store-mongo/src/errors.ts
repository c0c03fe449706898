import { IntermodalError, isIntermodalError, messageOf } from "@intermodal/core/ports";
import {
  type MongoBulkWriteError,
  MongoInvalidArgumentError,
  MongoMissingCredentialsError,
  MongoMissingDependencyError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from "mongodb";

/** Codes of the server's refusals. */
const CODE = {
  failedToParse: 9,
  unauthorized: 13,
  authenticationFailed: 18,
  commandNotFound: 59,
  indexOptionsConflict: 85,
  indexKeySpecsConflict: 86,
  unsatisfiableWriteConcern: 100,
  commandNotSupported: 115,
  notImplemented: 238,
  documentTooLarge: 10334,
  duplicateKey: 11000,
  outOfDiskSpace: 14031,
} as const;

const SQL_DUPLICATE = "duplicate key value violates unique constraint";

/** Whether a document of this `_id` was there already; of a call, or of one write in a bulk. */
export function isDuplicate(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  // DocumentDB tells of an upsert that found one after all as its database does.
  return code === CODE.duplicateKey || (typeof message === "string" && message.includes(SQL_DUPLICATE));
}

/**
 * Whether an upsert was refused because somebody else made the document at the same moment: now it is there to be changed. DocumentDB tries by itself, and then fails for
 * not knowing the time any more.
 */
export function isLostUpsert(error: unknown): boolean {
  if (isDuplicate(error)) return true;
  return (error as { code?: unknown }).code === CODE.failedToParse && messageOf(error).includes("$$NOW");
}

/** Whether an index of the same name or the same keys was there, with other options. */
export function isIndexConflict(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === CODE.indexOptionsConflict || code === CODE.indexKeySpecsConflict;
}

/** Whether credentials were refused; they may be rotated while the store is running. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === CODE.authenticationFailed;
}

/** Any failure of a call as an error of the SDK. */
export function asIntermodal(what: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const cause = plain(error);
  const message = messageOf(error);
  if (error instanceof MongoServerSelectionError) return notSelected(what, error);
  if (error instanceof MongoNotConnectedError || error instanceof MongoTopologyClosedError)
    return new IntermodalError("CLOSED", `${what}: the client has been closed`, { cause });
  if (error instanceof MongoParseError || error instanceof MongoInvalidArgumentError)
    return new IntermodalError("CONFIG_INVALID", `${what}: ${withoutUrl(message)}`);
  if (error instanceof MongoMissingCredentialsError || error instanceof MongoMissingDependencyError)
    return new IntermodalError("CONFIG_INVALID", `${what}: ${withoutUrl(message)}`);
  if (error instanceof RangeError || (error as { name?: unknown }).name === "BSONError")
    return tooLarge(what, message, cause);
  if (error instanceof MongoServerError && error.code !== undefined) return refused(what, error);
  if (error instanceof MongoNetworkError && error.hasErrorLabel("HandshakeError"))
    return unavailable(what, message, false, error);
  // A connection that could not be had in time has carried nothing.
  const unsent = (error as { name?: unknown }).name === "MongoWaitQueueTimeoutError";
  return unavailable(what, message, !unsent, error);
}

function refused(what: string, error: MongoServerError): IntermodalError {
  const told = `${what}: the server refused: ${messageOf(error)}`;
  const cause = plain(error);
  switch (error.code) {
    case CODE.authenticationFailed:
      return new IntermodalError("CONFIG_INVALID", `${told}; check user, password and authSource`, { cause });
    case CODE.unauthorized:
      return new IntermodalError("CONFIG_INVALID", `${told}; allow the user to read and write the database`, { cause });
    case CODE.commandNotFound:
    case CODE.commandNotSupported:
    case CODE.notImplemented:
      return new IntermodalError("CONFIG_INVALID", `${told}; the server lacks what this store needs`, { cause });
    case CODE.unsatisfiableWriteConcern:
      return new IntermodalError("UNAVAILABLE", `${told}; a majority of the replica set must be there`, {
        cause,
        unknown: true,
      });
    case CODE.documentTooLarge:
      return tooLarge(what, messageOf(error), cause);
    case CODE.outOfDiskSpace:
      return new IntermodalError("UNAVAILABLE", `${told}; free storage`, { cause });
    default:
      // Among them those of a server that steps down or ends: what was under way may have been done.
      return new IntermodalError("UNAVAILABLE", told, { cause, unknown: true });
  }
}

function tooLarge(what: string, message: string, cause: unknown): IntermodalError {
  return new IntermodalError(
    "PAYLOAD_TOO_LARGE",
    `${what}: longer than MongoDB lets a document be (${message}); keep it elsewhere and pass a reference`,
    { cause },
  );
}

/** What no further attempt to connect can cure. */
const HOPELESS_TLS = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL|ERR_TLS|ERR_OSSL/;

/** No server was there in time: nothing was sent. */
function notSelected(what: string, error: MongoServerSelectionError): IntermodalError {
  for (const { error: failure } of error.reason?.servers.values() ?? []) {
    const tls = tlsFailure(what, failure);
    if (tls !== undefined) return tls;
  }
  return unavailable(what, `no server that takes writes can be reached: ${messageOf(error)}`, false, error);
}

/** `undefined` for what is no matter of certificates. */
function tlsFailure(what: string, failure: Error | null): IntermodalError | undefined {
  const { code, reason } = (failure?.cause ?? {}) as { code?: unknown; reason?: unknown };
  if (typeof code !== "string" || !HOPELESS_TLS.test(code)) return undefined;
  return new IntermodalError(
    "CONFIG_INVALID",
    `${what}: TLS failed: ${typeof reason === "string" ? reason : messageOf(failure?.cause)}; check the certificates in the connection options`,
    { cause: plain(failure?.cause) },
  );
}

/** Whether a bulk write failed as a whole, so that it can't be told which of its writes were done. */
export function isIncomplete(error: MongoBulkWriteError): boolean {
  return [error.writeErrors].flat().length === 0 || error.result.getWriteConcernError() !== undefined;
}

/** What a bulk write failed for, or the first of its writes that did. */
export function bulkFailure(what: string, error: MongoBulkWriteError): IntermodalError {
  // The driver hides what a whole command failed for, but for its message and what it copies.
  const { reason } = error as { reason?: unknown };
  if (reason !== undefined) return unavailable(what, `no server can be reached: ${messageOf(error)}`, false, error);
  if (typeof error.code === "number" && error.result.getWriteConcernError() === undefined) return refused(what, error);
  return unavailable(what, messageOf(error), true, error);
}

export function unavailable(what: string, why: string, unknown = false, cause?: unknown): IntermodalError {
  return new IntermodalError("UNAVAILABLE", `${what}: ${why}`, {
    unknown,
    ...(cause !== undefined && { cause: plain(cause) }),
  });
}

/** What the driver says of a URL or of options. */
export function notUsable(error: unknown): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    `mongo(): the URL or the options of the client: ${withoutUrl(messageOf(error))}`,
  );
}

/** @param unknown Whether it may have happened all the same. */
export function closed(what: string, unknown = false): IntermodalError {
  return new IntermodalError("CLOSED", `${what}: the adapter has been closed`, { unknown });
}

export function notMongo(where: string, what: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `${where} is no MongoDB server: it speaks ${what}; check host and port`);
}

export function noTls(where: string): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    `${where} has no TLS: leave "tls=true" out of the URL and TLS out of the options, or enable it there`,
  );
}

export function wantsTls(where: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `${where} expects TLS: add "tls=true" to the URL`);
}

/** The driver quotes URLs that it can't read, credentials and all. */
function withoutUrl(message: string): string {
  return message.includes("://") ? "the URL cannot be read" : message;
}

/** The driver hangs commands, answers and descriptions of servers on its errors, payloads among them: none may get into a log. */
function plain(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const copy = new Error(error.message);
  copy.name = error.name;
  const { code } = error as { code?: unknown };
  return code === undefined ? copy : Object.assign(copy, { code });
}
