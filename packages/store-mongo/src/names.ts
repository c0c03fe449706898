import { createHash } from "node:crypto";
import { encodeName } from "@intermodal/core/ports";

/** A collection's name has room for that many bytes, with the database's name and those of indexes. */
const LONGEST = 120;
const KEPT = 80;

/** The name of one of a namespace's collections: `im_<namespace>_<part>`. */
export function collectionName(namespace: string, part: string): string {
  const encoded = encodeName(namespace);
  return encoded.length <= LONGEST ? `im_${encoded}_${part}` : `im_${shorten(encoded)}_${part}`;
}

/** Injective: no encoded name holds "=H". */
function shorten(encoded: string): string {
  return `${encoded.slice(0, KEPT)}=H${createHash("sha256").update(encoded).digest("hex").slice(0, 32)}`;
}
