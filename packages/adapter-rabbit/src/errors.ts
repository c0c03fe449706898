import { type ErrorCode, IntermodalError, isIntermodalError, messageOf } from "@intermodal/core/ports";

/** What cannot be cured by connecting again, as it shows in the driver's messages. */
const REFUSED: readonly { readonly sign: RegExp; readonly cure: string }[] = [
  {
    sign: /ACCESS[_-]REFUSED/,
    cure: "RabbitMQ refused the credentials: check user and password in the URL, and what the user may do in the virtual host",
  },
  {
    sign: /Expected ConnectionOpenOk/,
    cure: "RabbitMQ refused the virtual host: check the URL's path, that the virtual host exists, and that the user may enter it",
  },
  {
    sign: /SASL mechanism|Wasn't expecting to have to go through secure/,
    cure: "RabbitMQ does not offer this way to log in: see its auth_mechanisms and the adapter's `connection.credentials`",
  },
  {
    sign: /Expected ConnectionStart|Frame size|frame size|Invalid frame|Unexpected frame|Server frameMax|too large|type tag/,
    cure: "what listens there does not speak AMQP 0-9-1: check host and port (RabbitMQ's are 5672, and 5671 for amqps)",
  },
  {
    sign: /self.signed|certificate|CERT_|ALTNAME|wrong version number|unable to verify|packet length too long|EPROTO/i,
    cure: "TLS failed: check that the scheme fits the port (amqps for TLS), and the certificates in the adapter's `connection` options",
  },
];

/** Why a connection could not be made. */
export function connectFailure(server: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const text = `${(error as { code?: unknown } | undefined)?.code ?? ""} ${messageOf(error)}`;
  const refused = REFUSED.find(({ sign }) => sign.test(text));
  if (refused !== undefined) return failure("CONFIG_INVALID", `${server}: ${refused.cure}`, error);
  const hint = text.includes("ETIMEDOUT")
    ? "; it took the connection but did not speak AMQP in time, if it is RabbitMQ at all"
    : "";
  return failure("UNAVAILABLE", `${server} cannot be reached: ${messageOf(error)}${hint}`, error);
}

/** Why RabbitMQ did not do what it was asked for on a channel. */
export function channelFailure(what: string, error: unknown): IntermodalError {
  if (isIntermodalError(error)) return error;
  const message = messageOf(error);
  const differs = /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)'.*?: (.*?)"?$/s.exec(message);
  if (differs !== null) {
    const [, argument, kind, name, values] = differs;
    return failure(
      "CONFIG_INVALID",
      `${kind} ${name} exists with another ${argument}: ${values}. Nothing was changed: delete or rename it once it is empty, or use another namespace`,
      error,
    );
  }
  if (/ACCESS_REFUSED|PRECONDITION_FAILED - (?:invalid|inequivalent)|NOT_ALLOWED/.test(message))
    return failure("CONFIG_INVALID", `${what}: ${message}`, error);
  return failure("UNAVAILABLE", `${what}: ${message}`, error);
}

/** Whether a channel was closed because what it named is not there. */
export function isNotFound(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 404;
}

/** Whether a queue is held exclusively by another connection. */
export function isLocked(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 405;
}

/** The sizes in RabbitMQ's complaint about a message that is too large. */
export function tooLarge(error: unknown): { readonly bytes: number; readonly limit: number } | undefined {
  const found = /message size (\d+) is larger than (?:configured )?max size (\d+)/.exec(messageOf(error));
  return found === null ? undefined : { bytes: Number(found[1]), limit: Number(found[2]) };
}

function failure(code: ErrorCode, message: string, cause: unknown): IntermodalError {
  return new IntermodalError(code, message, { cause });
}
