const encoder = new TextEncoder();

/** Bytes of a character in UTF-8; half a surrogate pair, which UTF-8 has no bytes for, as the bytes it would have. */
function bytesOf(character: string): Iterable<number> {
  const code = character.charCodeAt(0);
  if (character.length > 1 || code < 0xd800 || code > 0xdfff) return encoder.encode(character);
  return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
}

/** Encodes any text injectively into letters, digits, `_`, `.`, `-` and `=XX`: no brace, colon, glob, space or line end is left. */
export function encodeKey(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/gu, (character) => {
    let encoded = "";
    for (const byte of bytesOf(character)) encoded += `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return encoded;
  });
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Half a surrogate pair: nothing else begins like that in UTF-8. */
const HALF = /=ED=([AB][0-9A-F])=([89AB][0-9A-F])/g;

/** Undoes {@link encodeKey}. What is not of its making gives some text or other: anybody may publish. */
export function decodeKey(encoded: string): string {
  return encoded
    .replace(HALF, (_, high: string, low: string) =>
      String.fromCharCode(0xd000 | ((Number.parseInt(high, 16) & 0x3f) << 6) | (Number.parseInt(low, 16) & 0x3f)),
    )
    .replace(/(?:=[0-9A-F]{2})+/g, (bytes) =>
      decoder.decode(Uint8Array.from(bytes.slice(1).split("="), (byte) => Number.parseInt(byte, 16))),
    );
}

/** The keys of one stream, all in one slot, and the channel on which its readers are woken. */
export interface StreamNames {
  readonly log: string;
  readonly meta: string;
  readonly channel: string;
}

/** The keys and channels of one namespace. Between braces stands what decides on the slot in a cluster. */
export class Names {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = encodeKey(namespace);
  }

  /** `im:{<namespace>}:<part>:…`: keys that scripts use together. Each part is encoded. */
  shared(...parts: readonly string[]): string {
    return `im:{${this.#namespace}}:${parts.map(encodeKey).join(":")}`;
  }

  /** `im:<namespace>:<part>:…`: keys that are used alone, over all slots. Each part is encoded. */
  alone(...parts: readonly string[]): string {
    return `im:${this.#namespace}:${parts.map(encodeKey).join(":")}`;
  }

  /** `im:{<namespace>:<stream>}:…`: one slot for each stream. */
  stream(streamId: string): StreamNames {
    const prefix = `im:{${this.#namespace}:${encodeKey(streamId)}}`;
    return { log: `${prefix}:log`, meta: `${prefix}:meta`, channel: `${prefix}:wake` };
  }
}
