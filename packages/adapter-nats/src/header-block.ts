const decoder = new TextDecoder();

/** Reads a header block as the API returns it; the client reads only those of messages it delivers. */
export function* parseHeaderBlock(block: Uint8Array): Iterable<[string, string[]]> {
  const [, ...lines] = decoder.decode(block).split("\r\n");
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) yield [line.slice(0, colon), [line.slice(colon + 1).trim()]];
  }
}
