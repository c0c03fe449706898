import type { AdapterFactory } from "@intermodal/core";
import { expect, test, vi } from "vitest";
import { freePort } from "../servers/ports.ts";
import type { BrokerKind } from "./apps.ts";
import { makeCertificates, whyNoCertificates } from "./certificates.ts";
import { command, event } from "./contracts.ts";
import { onEachBroker } from "./each-broker.ts";
import { expectRefusal } from "./refused.ts";
import type { Stage } from "./stage.ts";

interface Tls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const missing = await whyNoCertificates();
test.runIf(missing !== undefined)("TLS", (t) => {
  if (process.env.CI) throw new Error(missing);
  t.skip(missing);
});

if (missing === undefined) {
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
  const urlOf = ({ kind, server: { url } }: Stage) =>
    kind === "nats" ? url.replace("nats:", "tls:") : `amqps://guest:guest@127.0.0.1:${port}`;

  for (const kind of ["nats", "rabbit"] as const) {
    const options = { brokers: [kind], server: guarded[kind] };

    onEachBroker("TLS with certificates on both sides", options, async (stage) => {
      const handled: number[] = [];
      const app = await stage.app({ url: urlOf(stage) }, { adapters: [await adapterWith(kind, { ca, ...client })] });
      app.handle(command, ({ n }) => handled.push(n));
      app.on(event, { listener: "audit" }, ({ data }) => handled.push(data.n));
      await app.start();
      await Promise.all([app.send(command, { n: 1 }), app.publish(event, { n: 1 })]);
      await vi.waitFor(() => expect(handled).toEqual([1, 1]), { timeout: 10_000 });
    });

    for (const [what, tls] of [
      ["the server's certificate is signed by nobody it knows", client],
      ["the client has no certificate", { ca }],
    ] as const) {
      onEachBroker(`TLS, but ${what}`, options, async (stage) =>
        expectRefusal(stage, {
          url: urlOf(stage),
          adapters: [await adapterWith(kind, tls)],
          code: "CONFIG_INVALID",
          says: /TLS.*certificate/,
          secrets: [client.key.split("\n")[1] ?? ""],
        }),
      );
    }
  }
}

async function adapterWith(kind: BrokerKind, tls: Tls): Promise<AdapterFactory> {
  if (kind === "nats") return (await import("@intermodal/adapter-nats")).nats({ connection: { tls } });
  return (await import("@intermodal/adapter-rabbit")).rabbit({ connection: tls });
}
