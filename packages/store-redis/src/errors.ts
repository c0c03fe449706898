import { type ErrorCode, IntermodalError, isIntermodalError, messageOf } from "@intermodal/core/ports";

/** The oldest server that has all this store needs. */
export const OLDEST_SERVER = "6.2.0";

/** What a refusal means to a caller, by its first word; whatever is not listed is `UNAVAILABLE`. */
const REFUSALS: Readonly<Record<string, { readonly code: ErrorCode; readonly cure: string }>> = {
  NOAUTH: { code: "CONFIG_INVALID", cure: "give user and password in the URL" },
  WRONGPASS: { code: "CONFIG_INVALID", cure: "check user and password" },
  NOPERM: { code: "CONFIG_INVALID", cure: "allow the user the command, its keys (im:*) and its channels (im:*)" },
  WRONGTYPE: { code: "CONFIG_INVALID", cure: "something else uses this key; use another namespace or database" },
  MOVED: { code: "CONFIG_INVALID", cure: "it is a node of a Redis Cluster; use redis({ cluster: true })" },
  CROSSSLOT: { code: "CONFIG_INVALID", cure: "it is a Redis Cluster; use redis({ cluster: true })" },
  OOM: { code: "UNAVAILABLE", cure: "its memory is full; raise maxmemory or remove what is not needed" },
  MISCONF: { code: "UNAVAILABLE", cure: "it cannot write to its disk" },
  READONLY: { code: "UNAVAILABLE", cure: "it is a replica; use the address of the primary" },
};

/** Said by ioredis without having written anything, */
const NOT_WRITTEN = /enableOfflineQueue options is false|No subscriber for the cluster|Cluster isn't ready/;
/** or after one node after the other has said that it does nothing: the slot is on the move, or nobody has it. */
const REDIRECTED =
  /^Too many Cluster redirections\. Last error: ReplyError: (TRYAGAIN|CLUSTERDOWN|MOVED|ASK|NOSCRIPT)\b/;

/** Any failure of a call as an error of the SDK. */
export function asIntermodal(what: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const message = messageOf(error);
  if (!isReply(error))
    return unavailable(what, message, !NOT_WRITTEN.test(message) && !REDIRECTED.test(message), error);
  const known = REFUSALS[kindOf(message)];
  const cure = known === undefined ? "" : `; ${known.cure}`;
  // A script that fails has done what came before; but for these refusals, which meet its first write.
  return new IntermodalError(known?.code ?? "UNAVAILABLE", `${what}: the server refused: ${message}${cure}`, {
    cause: plain(error),
    unknown: /^ERR.*script/i.test(message) && !["READONLY", "OOM", "MISCONF"].includes(kindOf(message)),
  });
}

/** An error that the server answered with, of one of these kinds. */
export function isReply(error: unknown, ...words: readonly string[]): boolean {
  if (!(error instanceof Error) || error.name !== "ReplyError") return false;
  return words.length === 0 || words.includes(kindOf(error.message));
}

/** What is behind `@user_script` when a command of a script was refused and the server, before Redis 7, says so in its own words, as later ones do of permissions; else the first word. */
function kindOf(message: string): string {
  if (/^ERR (?:ACL failure in script|The user executing the script)/.test(message)) return "NOPERM";
  const inScript = /^ERR Error running script .*@user_script: ?\d+: -?([A-Z]+) /.exec(message);
  return inScript?.[1] ?? /^\S*/.exec(message)?.[0] ?? "";
}

export function unavailable(what: string, why: string, unknown = false, cause?: unknown): IntermodalError {
  return new IntermodalError("UNAVAILABLE", `${what}: ${why}`, {
    unknown,
    ...(cause !== undefined && { cause: plain(cause) }),
  });
}

/** @param unknown Whether it may have happened all the same. */
export function closed(what: string, which = "the adapter", unknown = false): IntermodalError {
  return new IntermodalError("CLOSED", `${what}: ${which} has been closed`, { unknown });
}

/** What no further attempt to connect can cure. */
const HOPELESS_TLS = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL|ERR_TLS|ERR_OSSL/;

/** Why a connection to a server failed: `UNAVAILABLE` where trying again can help. @param where Without credentials. */
export function connectFailure(where: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const message = messageOf(error);
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  if (isReply(error)) return asIntermodal(`connecting to ${where}`, error);
  if (typeof code === "string" && HOPELESS_TLS.test(code))
    return new IntermodalError(
      "CONFIG_INVALID",
      `TLS with ${where} failed: ${typeof reason === "string" ? reason : message}; check the certificates in the connection options`,
      { cause: plain(error) },
    );
  return unavailable("connecting", `${where} cannot be reached: ${message}`, false, error);
}

/** Nothing of it has been sent. */
export function tooLong(what: string): IntermodalError {
  return new IntermodalError("PAYLOAD_TOO_LARGE", `${what}: more than one command can carry; write less at once`);
}

/** @param db The number of the database. */
export function noDatabase(where: string, db: number, error: unknown): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    `database ${db} of ${where} cannot be used: ${messageOf(error)}; check its number, and allow the user SELECT`,
    { cause: plain(error) },
  );
}

export function notRedis(where: string, what: string): IntermodalError {
  return new IntermodalError("CONFIG_INVALID", `${where} is no Redis server: it speaks ${what}; check host and port`);
}

export function noCluster(where: string): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    `${where} is no cluster, though the URL names several nodes; name one server, or give sentinels in the connection options`,
  );
}

/** The driver hangs the command with its arguments on its errors, credentials and payloads among them: neither may get into a log. */
function plain(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const copy = new Error(error.message);
  copy.name = error.name;
  const { code } = error as { code?: unknown };
  return code === undefined ? copy : Object.assign(copy, { code });
}
