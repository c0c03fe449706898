import type { AdapterFactory } from "@intermodal/core";
import { expect, test, vi } from "vitest";
import { freePort } from "../servers/ports.ts";
import type { BrokerKind } from "./apps.ts";
import { makeCertificates, whyNoCertificates } from "./certificates.ts";
import { command, event } from "./contracts.ts";
import { onEachBroker } from "./each-broker.ts";
import { expectRefusal } from "./refused.ts";

interface Tls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const missing = await whyNoCertificates();
if (missing !== undefined) {
  test("TLS", (t) => {
    if (process.env.CI) throw new Error(missing);
    t.skip(missing);
  });
} else {
  const { ca, server, client } = await makeCertificates();
  const files = { "ca.pem": ca, "server.pem": server.cert, "server.key": server.key };
  const port = await freePort();

  /** Asks for TLS, and for a certificate of the client's. */
  const guarded = {
    nats: {
      files,
      config: 'tls { cert_file: "$DIR/server.pem", key_file: "$DIR/server.key", ca_file: "$DIR/ca.pem", verify: true }',
    },
    rabbit: {
      files,
      config: [
        `listeners.ssl.1 = 127.0.0.1:${port}`,
        "ssl_options.cacertfile = $DIR/ca.pem",
        "ssl_options.certfile = $DIR/server.pem",
        "ssl_options.keyfile = $DIR/server.key",
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = true",
      ].join("\n"),
    },
  } as const;
  for (const kind of ["nats", "rabbit"] as const) {
    onEachBroker("TLS with certificates on both sides", { brokers: [kind], server: guarded[kind] }, async (stage) => {
      const { url: plain } = stage.server;
      const url = kind === "nats" ? plain.replace("nats:", "tls:") : `amqps://guest:guest@127.0.0.1:${port}`;
      const handled: number[] = [];
      const app = await stage.app({ url }, { adapters: [await adapterWith(kind, { ca, ...client })] });
      app.handle(command, ({ n }) => handled.push(n));
      app.on(event, { listener: "audit" }, ({ data }) => handled.push(data.n));
      await app.start();
      await Promise.all([app.send(command, { n: 1 }), app.publish(event, { n: 1 })]);
      await vi.waitFor(() => expect(handled).toEqual([1, 1]), { timeout: 10_000 });
      const secrets = [client.key.split("\n")[1] ?? ""];
      // A server whose certificate is signed by nobody it knows; a client that has none.
      for (const tls of [client, { ca }]) {
        const adapters = [await adapterWith(kind, tls)];
        await expectRefusal(stage, { url, adapters, code: "CONFIG_INVALID", says: /TLS.*certificate/, secrets });
      }
    });
  }
}

async function adapterWith(kind: BrokerKind, tls: Tls): Promise<AdapterFactory> {
  if (kind === "nats") return (await import("@intermodal/adapter-nats")).nats({ connection: { tls } });
  return (await import("@intermodal/adapter-rabbit")).rabbit({ connection: tls });
}
