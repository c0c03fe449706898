import { freePort } from "../servers/ports.ts";
import type { BrokerKind } from "./apps.ts";
import { onEachBroker, sharedServer } from "./each-broker.ts";
import { expectRefusal } from "./refused.ts";
import { httpServer, silentServer } from "./strangers.ts";

const SCHEME: Readonly<Record<BrokerKind, string>> = { nats: "nats", rabbit: "amqp" };
const OTHER: Readonly<Record<BrokerKind, BrokerKind>> = { nats: "rabbit", rabbit: "nats" };
const USER = "mallory-the-user";
const PASSWORD = "p@ss:w0rd/of%mallory";
const secrets = [USER, PASSWORD];

/** With credentials, to see that they are not told. */
function urlOf(kind: BrokerKind, port: number): string {
  return `${SCHEME[kind]}://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;
}

onEachBroker("the port speaks the other broker's protocol", {}, async (stage) => {
  const { port } = await sharedServer(OTHER[stage.kind]);
  const url = urlOf(stage.kind, port);
  await expectRefusal(stage, { url, code: "CONFIG_INVALID", says: /check host and port/, secrets });
});

onEachBroker("the port speaks HTTP", {}, async (stage) => {
  const stranger = await httpServer();
  stage.atEnd(() => stranger.close());
  const url = urlOf(stage.kind, stranger.port);
  await expectRefusal(stage, { url, code: "CONFIG_INVALID", says: /check host and port/, secrets });
});

onEachBroker("the port is silent", {}, async (stage) => {
  const stranger = await silentServer();
  stage.atEnd(() => stranger.close());
  const url = urlOf(stage.kind, stranger.port);
  await expectRefusal(stage, {
    url,
    code: "UNAVAILABLE",
    says: new RegExp(`127\\.0\\.0\\.1:${stranger.port}`),
    secrets,
  });
});

onEachBroker("nothing listens on the port", {}, async (stage) => {
  const port = await freePort();
  const says = new RegExp(`127\\.0\\.0\\.1:${port}`);
  await expectRefusal(stage, { url: urlOf(stage.kind, port), code: "UNAVAILABLE", says, secrets });
});

onEachBroker("the host has no address", {}, async (stage) => {
  const url = `${SCHEME[stage.kind]}://${USER}:${encodeURIComponent(PASSWORD)}@nowhere.invalid`;
  await expectRefusal(stage, { url, code: "UNAVAILABLE", says: /nowhere\.invalid/, secrets });
});

onEachBroker("the password is wrong", { brokers: ["rabbit"] }, (stage) => {
  const url = urlOf("rabbit", stage.server.port);
  return expectRefusal(stage, { url, code: "CONFIG_INVALID", says: /refused the credentials.*check user/, secrets });
});

onEachBroker("the virtual host is not there", { brokers: ["rabbit"] }, (stage) => {
  const url = `${stage.server.url}/elsewhere`;
  return expectRefusal(stage, { url, code: "CONFIG_INVALID", says: /refused the virtual host/ });
});

onEachBroker("JetStream is not enabled", { brokers: ["nats"], server: { jetstream: false } }, (stage) =>
  expectRefusal(stage, { url: stage.server.url, code: "CONFIG_INVALID", says: /JetStream is not enabled.*-js/ }),
);

onEachBroker("the server is too old", { brokers: ["nats"], server: { version: "2.9" } }, (stage) =>
  expectRefusal(stage, { url: stage.server.url, code: "CONFIG_INVALID", says: /2\.9\.\d+.*2\.10/ }),
);
