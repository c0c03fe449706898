import { IntermodalError } from "@intermodal/core/ports";

/** What a URL says. */
export interface Place {
  /** As the driver reads it. */
  readonly url: string;
  readonly database: string;
}

const DEFAULT_DATABASE = "intermodal";
const LONGEST_DATABASE = 63;

/**
 * Reads `mongodb://user:password@host:27017/database?replicaSet=rs0`, several hosts separated by commas, and `mongodb+srv://host/database`; the options are the
 * driver's.
 * @throws `CONFIG_INVALID`.
 */
export function parseUrl(url: string): Place {
  const parts = /^(mongodb(?:\+srv)?):(?:\/\/([^/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?)?$/.exec(url);
  if (parts === null) throw invalid();
  const [, scheme = "", hosts = "", path = "", query] = parts;
  if (hosts === "" && (scheme !== "mongodb" || path !== "" || query !== undefined)) throw invalid();
  if (hosts !== "" && hosts.replace(/^.*@/, "").split(",").includes("")) throw invalid();
  const database = decode(path) || DEFAULT_DATABASE;
  if (/[\\ "$*<>:|?.\0]/.test(database) || Buffer.byteLength(database) > LONGEST_DATABASE) throw invalid();
  return { url: hosts === "" ? "mongodb://127.0.0.1:27017" : url, database };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid();
  }
}

/** Names no URL, since what can't be read can't be cleared of credentials either. */
function invalid(): IntermodalError {
  return new IntermodalError(
    "CONFIG_INVALID",
    'a MongoDB URL reads "mongodb://host:27017/database", "mongodb://user:password@host-1,host-2/database?replicaSet=rs0" or "mongodb+srv://host/database"',
  );
}
