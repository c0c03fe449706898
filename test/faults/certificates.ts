import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** PEM texts of a certification authority that nobody else knows, and of a server and a client that it has signed for. */
export interface Certificates {
  readonly ca: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const EXTENSIONS = {
  // The client of NATS compares with "localhost" where it connects to an address.
  server: "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n",
  client: "extendedKeyUsage=clientAuth\n",
};
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Why there can be none; undefined when they can be made. */
export async function whyNoCertificates(): Promise<string | undefined> {
  try {
    await run("openssl", ["version"]);
    return undefined;
  } catch {
    return "the certificates are made with openssl: install it";
  }
}

export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "intermodal-certificates-"));
  const openssl = (...args: readonly string[]) => run("openssl", [...args], { cwd: folder });
  const text = (name: string) => readFile(join(folder, name), "utf8");
  const sign = async (name: "server" | "client"): Promise<KeyPair> => {
    await writeFile(join(folder, `${name}.ext`), EXTENSIONS[name]);
    await openssl("req", ...NEW_KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const issuer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${name}.ext`];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...issuer, "-days", "2", "-out", `${name}.pem`);
    return { cert: await text(`${name}.pem`), key: await text(`${name}.key`) };
  };
  try {
    await openssl("req", "-x509", ...NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test");
    const server = await sign("server");
    return { ca: await text("ca.pem"), server, client: await sign("client") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
