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
  MongoWriteConcernError,
  type WriteError,
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
  updatedTooLarge: 17419,
  replacedTooLarge: 17420,
} as const;

/** Refusals behind which an effect may hide: of any other the server says that nothing came of what was asked. The driver's lists, and what the server counts as interruptions. */
const MAY_HIDE_EFFECT: ReadonlySet<unknown> = new Set(
  Object.values({
    // It does not know either.
    internalError: 1,
    unknownError: 8,
    // Of a router: the answer of a server behind it was lost.
    hostUnreachable: 6,
    hostNotFound: 7,
    networkTimeout: 89,
    networkInterfaceExceededTimeLimit: 202,
    socketException: 9001,
    // It ends or is no longer the primary, maybe since the middle of what was asked.
    shutdownInProgress: 91,
    primarySteppedDown: 189,
    legacyNotPrimary: 10058,
    notWritablePrimary: 10107,
    interruptedAtShutdown: 11600,
    interruptedDueToReplStateChange: 11602,
    notPrimaryNoSecondaryOk: 13435,
    notPrimaryOrSecondary: 13436,
    // Interrupted, maybe between two writes of several.
    lockTimeout: 24,
    maxTimeMsExpired: 50,
    cursorKilled: 237,
    exceededTimeLimit: 262,
    clientDisconnect: 279,
    interruptedDueToStorageChange: 355,
    interrupted: 11601,
    clientMarkedKilled: 46841,
    // Done, but not known to be held by a majority.
    writeConcernTimeout: 64,
    multipleErrorsOccurred: 65,
    unknownReplWriteConcern: 79,
    unsatisfiableWriteConcern: CODE.unsatisfiableWriteConcern,
  }),
);

/** Names of the driver's errors that tell, with a code, what the server answered: to one write or to several. */
const ANSWERS: ReadonlySet<unknown> = new Set(["MongoServerError", "MongoWriteConcernError", "MongoBulkWriteError"]);

/** DocumentDB tells of some refusals as its database does, by no code of MongoDB's. */
const SQL_DUPLICATE = "duplicate key value violates unique constraint";
const SQL_TOO_LARGE = "is larger than MaxDocumentSize";

/** Whether a document of this `_id` was there already; of a call, or of one write in a bulk. */
export function isDuplicate(error: unknown): boolean {
  const { code, message, errmsg } = error as { code?: unknown; message?: unknown; errmsg?: unknown };
  return code === CODE.duplicateKey || String(message ?? errmsg).includes(SQL_DUPLICATE);
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

/** Whether a failure is the server's answer to what was asked, which shows that it is there. A login that it refuses keeps us from asking anything. */
export function isAnswer({ cause }: IntermodalError): boolean {
  const { name, code } = (cause ?? {}) as { name?: unknown; code?: unknown };
  return ANSWERS.has(name) && typeof code === "number" && code !== CODE.authenticationFailed;
}

/** Any failure of a call as an error of the SDK. */
export function asIntermodal(what: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const cause = plain(error);
  const message = messageOf(error);
  if (error instanceof MongoServerSelectionError) return notSelected(what, error);
  if (error instanceof MongoNotConnectedError || error instanceof MongoTopologyClosedError)
    return new IntermodalError("CLOSED", `${what}: the client has been closed`, { cause });
  if (error instanceof RangeError || isTooLargeToSend(error)) return tooLarge(what, message, cause);
  if (error instanceof MongoParseError || error instanceof MongoInvalidArgumentError)
    return new IntermodalError("CONFIG_INVALID", `${what}: ${withoutUrl(message)}`);
  if (error instanceof MongoMissingCredentialsError || error instanceof MongoMissingDependencyError)
    return new IntermodalError("CONFIG_INVALID", `${what}: ${withoutUrl(message)}`);
  if ((error as { name?: unknown }).name === "BSONError") return notSerializable(what, error);
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
    case CODE.outOfDiskSpace:
      return new IntermodalError("UNAVAILABLE", `${told}; free storage`, { cause });
    case CODE.documentTooLarge:
    case CODE.updatedTooLarge:
    case CODE.replacedTooLarge:
      return tooLarge(what, messageOf(error), cause);
    default:
      if (messageOf(error).includes(SQL_TOO_LARGE)) return tooLarge(what, messageOf(error), cause);
      return new IntermodalError("UNAVAILABLE", told, { cause, unknown: mayHideEffect(error) });
  }
}

function mayHideEffect(error: MongoServerError): boolean {
  if (error.hasErrorLabel("NoWritesPerformed")) return false;
  if (error instanceof MongoWriteConcernError || error.hasErrorLabel("RetryableWriteError")) return true;
  return MAY_HIDE_EFFECT.has(error.code);
}

/** The driver's own refusal of a document, before anything is sent. */
function isTooLargeToSend(error: unknown): boolean {
  return error instanceof MongoInvalidArgumentError && error.message.startsWith("Document is larger than");
}

function tooLarge(what: string, message: string, cause: unknown): IntermodalError {
  return new IntermodalError(
    "PAYLOAD_TOO_LARGE",
    `${what}: longer than MongoDB lets a document be (${message}); keep it elsewhere and pass a reference`,
    { cause },
  );
}

function notSerializable(what: string, error: unknown): IntermodalError {
  const message = `${what}: MongoDB cannot store this: ${messageOf(error)}`;
  return new IntermodalError("NOT_SERIALIZABLE", message, { cause: plain(error) });
}

/** Why one write could not be put into a document or a message: nothing of it was sent. */
export function notEncoded(what: string, error: unknown): IntermodalError {
  const failure = asIntermodal(what, error);
  return failure.code === "PAYLOAD_TOO_LARGE" || failure === error ? failure : notSerializable(what, error);
}

/** What no further attempt to connect can cure. */
const HOPELESS_TLS = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL|ERR_TLS|ERR_OSSL/;

/** No server was there in time. */
function notSelected(what: string, error: MongoServerSelectionError): IntermodalError {
  for (const { error: failure } of error.reason?.servers.values() ?? []) {
    const tls = tlsFailure(what, failure);
    if (tls !== undefined) return tls;
  }
  const told = `no server that takes writes can be reached: ${messageOf(error)}`;
  return unavailable(what, told, mayHaveBeenSent(error.reason), error);
}

/** Whether it was maybe a repetition that found no server: the driver repeats writes where there are several, and does not tell of the first try. */
function mayHaveBeenSent(reason: unknown): boolean {
  const { type } = (reason ?? {}) as { type?: unknown };
  return typeof type === "string" && /^(ReplicaSet|Sharded)/.test(type);
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

/** What a bulk write failed for, or the first of its writes that did. It may be several commands: those before stand. */
export function bulkFailure(what: string, error: MongoBulkWriteError): IntermodalError {
  const failure = failureOf(what, error);
  return error.insertedCount + error.matchedCount > 0 ? unsure(failure) : failure;
}

function failureOf(what: string, error: MongoBulkWriteError): IntermodalError {
  if (error.result.getWriteConcernError() !== undefined) return unavailable(what, messageOf(error), true, error);
  const refusal = [error.writeErrors].flat().find((one) => !isDuplicate(one));
  if (refusal !== undefined) return writeRefused(what, refusal);
  // The driver hides what a whole command failed for, but for its message and what it copies.
  const { reason } = error as { reason?: unknown };
  if (reason !== undefined)
    return unavailable(what, `no server can be reached: ${messageOf(error)}`, mayHaveBeenSent(reason), error);
  return typeof error.code === "number" ? refused(what, error) : unavailable(what, messageOf(error), true, error);
}

/** Why the server refused one write of a bulk. */
export function writeRefused(what: string, { code, errmsg = "no reason given" }: WriteError): IntermodalError {
  return refused(what, new MongoServerError({ code, message: errmsg }));
}

/** The same failure, of something that may have happened all the same. */
export function unsure(failure: IntermodalError): IntermodalError {
  if (failure.unknown) return failure;
  return new IntermodalError(failure.code, failure.message, { cause: failure.cause, unknown: true });
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
