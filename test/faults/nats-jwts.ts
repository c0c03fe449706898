import { nkeys } from "@nats-io/transport-node";

type KeyPair = ReturnType<typeof nkeys.createUser>;

const text = new TextDecoder();
const ANYTHING = { pub: {}, sub: {} };
const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const ACCOUNT = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** What a user shows to the server, and what it signs the server's nonce with. */
export interface UserCredentials {
  readonly jwt: string;
  readonly seed: Uint8Array;
}

/** An operator with one account, as `nsc` makes them, and the users that it lets in. */
export class JwtAuthority {
  readonly #operator = nkeys.createOperator();
  /** What JetStream itself works in. */
  readonly #system = nkeys.createAccount();
  readonly #account = nkeys.createAccount();

  /** Lines for the server's configuration. */
  get config(): string {
    const account = (of: KeyPair, limits: object) =>
      `  ${of.getPublicKey()}: ${signed(of, this.#operator, { type: "account", limits })}`;
    return [
      `operator: ${signed(this.#operator, this.#operator, { type: "operator" })}`,
      `system_account: ${this.#system.getPublicKey()}`,
      "resolver: MEMORY",
      "resolver_preload: {",
      account(this.#system, ACCOUNT),
      account(this.#account, { ...ACCOUNT, ...JETSTREAM }),
      "}",
    ].join("\n");
  }

  /** @param lastsMs rounded up to whole seconds. */
  user({ lastsMs }: { readonly lastsMs?: number | undefined } = {}): UserCredentials {
    const user = nkeys.createUser();
    const expires = lastsMs === undefined ? undefined : Math.ceil((Date.now() + lastsMs) / 1_000);
    const jwt = signed(user, this.#account, { type: "user", ...UNLIMITED, ...ANYTHING }, expires);
    return { jwt, seed: user.getSeed() };
  }
}

/** What `nsc generate creds` writes. */
export function credsFile({ jwt, seed }: UserCredentials): Uint8Array {
  const part = (what: string, content: string) => `-----BEGIN ${what}-----\n${content}\n------END ${what}------\n`;
  return new TextEncoder().encode(`${part("NATS USER JWT", jwt)}\n${part("USER NKEY SEED", text.decode(seed))}`);
}

/** Claims about `subject`, signed by `issuer`. */
function signed(subject: KeyPair, issuer: KeyPair, nats: object, expires?: number): string {
  const claims = {
    jti: crypto.randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    exp: expires,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "faults",
    nats: { ...nats, version: 2 },
  };
  const head = [{ typ: "JWT", alg: "ed25519-nkey" }, claims].map((part) => base64url(JSON.stringify(part))).join(".");
  return `${head}.${base64url(issuer.sign(new TextEncoder().encode(head)))}`;
}

function base64url(content: string | Uint8Array): string {
  return Buffer.from(content).toString("base64url");
}
