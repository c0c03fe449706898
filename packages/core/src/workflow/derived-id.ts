import { createHash } from "node:crypto";
import { MAX_ID } from "../wire/names.ts";

/** An id made of others: as it is where an id may be that long, else its hash, so that long keys and deep workflows work like any others. */
export function derivedId(text: string): string {
  return text.length <= MAX_ID ? text : `sha256:${createHash("sha256").update(text).digest("base64url")}`;
}
