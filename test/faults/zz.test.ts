import { test } from "vitest";
import { startServer } from "../servers/index.ts";
import { appAt } from "./apps.ts";
import { makeCertificates } from "./certificates.ts";

test("x", { timeout: 60000 }, async () => {
  const { ca, server } = await makeCertificates();
  const s = await startServer("nats", {
    files: { "ca.pem": ca, "server.pem": server.cert, "server.key": server.key },
    config: 'tls { cert_file: "$DIR/server.pem", key_file: "$DIR/server.key", ca_file: "$DIR/ca.pem", verify: true }',
  });
  const { nats } = await import("@intermodal/adapter-nats");
  const log = (m: string, f: unknown) => console.log(Date.now() % 100000, m, f);
  const app = await appAt(
    { url: s.url.replace("nats:", "tls:"), namespace: "x" },
    { adapters: [nats({ connection: { tls: { ca } } })], logger: { debug: log, info: log, warn: log, error: log } },
  );
  const t0 = Date.now();
  console.log(
    await Promise.race([
      app.connect().then(
        () => "ok",
        (e) => e,
      ),
      new Promise((r) => setTimeout(r, 25000, "hang")),
    ]),
    Date.now() - t0,
  );
  console.log(await app.health());
  console.log(
    await Promise.race([app.stop().then(() => "stopped"), new Promise((r) => setTimeout(r, 15000, "stop hangs"))]),
    Date.now() - t0,
  );
  await s.close();
});
