import type { Recipe, Site } from "./recipe.ts";
import type { ServerOptions } from "./server.ts";
import { converse } from "./socket.ts";

export interface NatsOptions extends ServerOptions {
  /** Lines for its configuration file, such as `max_payload: 2MB` or an `authorization` block; `$DIR` is its folder. */
  readonly config?: string | undefined;
  /** Lines for the `jetstream` block, such as `max_file_store: 10MB`; `false`: without JetStream. */
  readonly jetstream?: string | false | undefined;
  /** What of a user goes into the URL, as `name:password`; the configuration must let that user in. */
  readonly credentials?: string | undefined;
}

export function natsRecipe({ config = "", jetstream = "", credentials, files }: NatsOptions): Recipe {
  const configuration = ({ host, port, dir }: Site) =>
    [
      `host: ${host}`,
      `port: ${port}`,
      jetstream === false ? "" : `jetstream {\n  store_dir: "${dir}/data"\n  ${jetstream}\n}`,
      config,
      "",
    ]
      .join("\n")
      .replaceAll("$DIR", dir);
  return {
    kind: "nats",
    morePorts: 0,
    files: (site) => ({ ...files, "nats.conf": configuration(site) }),
    command: ({ program, dir }) => [program, "--config", `${dir}/nats.conf`],
    environment: () => ({}),
    url: (port) => `nats://${credentials === undefined ? "" : `${credentials}@`}127.0.0.1:${port}`,
    probe: natsVersion,
  };
}

/** It says INFO by itself, once it has recovered its streams. */
function natsVersion(url: string): Promise<string> {
  return converse(new URL(url), (said) => {
    const info = /^INFO (\{.*\})/.exec(said.toString());
    return info?.[1] && (JSON.parse(info[1]) as { version: string }).version;
  });
}
