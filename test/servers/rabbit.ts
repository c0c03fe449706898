import type { Recipe, Site } from "./recipe.ts";
import type { Server, ServerOptions } from "./server.ts";
import { converse } from "./socket.ts";

export interface RabbitOptions extends ServerOptions {
  /** @default "guest" */
  readonly user?: string | undefined;
  /** @default "guest" */
  readonly password?: string | undefined;
  /** Lines for rabbitmq.conf; `$DIR` is the server's folder. */
  readonly config?: string | undefined;
}

export interface RabbitServer extends Server {
  /** Runs `rabbitmqctl`; takes about a second. @returns what it printed. */
  ctl(...args: readonly string[]): Promise<string>;
}

// The Erlang port mapper of this server alone, in its process group: the one that Erlang starts by itself would outlive it. And none but its own plugins, where they are found: reading what
// some fifty others could be configured with, all of them off, takes two thirds of a start.
const START = `
program=$1 dir=$2
epmd=$(command -v epmd) || epmd=$(dirname "$(readlink -f "$(command -v erl)")")/epmd
"$epmd" -port "$ERL_EPMD_PORT" -address 127.0.0.1 &
plugins=$(dirname "$(readlink -f "$(dirname "$(command -v "$program")")/rabbitmq-defaults")")/../plugins
if ls "$plugins"/rabbit-[0-9]* >/dev/null 2>&1; then
  mkdir -p "$dir/plugins"
  ln -sf "$plugins"/rabbit-* "$plugins"/rabbit_common-* "$plugins"/rabbitmq_prelaunch-* "$dir/plugins"
  export RABBITMQ_PLUGINS_DIR="$dir/plugins"
fi
exec "$program"
`;
const LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false";

export function rabbitRecipe({ user = "guest", password = "guest", config = "", files }: RabbitOptions): Recipe {
  const configuration = ({ host, port, dir }: Site) =>
    [
      `listeners.tcp.1 = ${host}:${port}`,
      `default_user = ${user}`,
      `default_pass = ${password}`,
      "loopback_users = none",
      "log.console = true",
      "log.console.level = warning",
      "log.file = false",
      config,
      "",
    ]
      .join("\n")
      .replaceAll("$DIR", dir);
  return {
    kind: "rabbit",
    morePorts: 2,
    files: (site) => ({ ...files, "rabbitmq.conf": configuration(site), enabled_plugins: "[]." }),
    command: ({ program, dir }) => ["/bin/sh", "-c", START, "start", program, dir],
    environment,
    url: (port) => `amqp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    probe: rabbitVersion,
  };
}

export function withCtl(server: Server): RabbitServer {
  return Object.assign(server, { ctl: (...args: readonly string[]) => server.run("rabbitmqctl", "--quiet", ...args) });
}

/** `connection.start`, which it answers to the protocol's header, holds its properties: short names, each with a typed value. */
function rabbitVersion(url: string): Promise<string> {
  const understand = (said: Buffer) => {
    const name = "\x07versionS";
    const at = said.indexOf(name);
    if (at < 0 || said.length < at + name.length + 4) return undefined;
    const start = at + name.length + 4;
    const end = start + said.readUInt32BE(start - 4);
    return end > said.length ? undefined : said.toString("latin1", start, end);
  };
  return converse(new URL(url), understand, "AMQP\0\0\x09\x01");
}

function environment({ dir, ports: [distribution, portMapper] }: Site): Record<string, string> {
  return {
    HOME: dir,
    ERL_EPMD_PORT: String(portMapper),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: "rabbit@localhost",
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_CONFIG_FILE: `${dir}/rabbitmq.conf`,
    RABBITMQ_ENABLED_PLUGINS_FILE: `${dir}/enabled_plugins`,
    RABBITMQ_MNESIA_BASE: `${dir}/data`,
    RABBITMQ_LOG_BASE: `${dir}/logs`,
    // Few threads: several servers share the machine with what is tested.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+S 2:2 +SDio 2 +A 2 ${LOOPBACK}`,
    RABBITMQ_CTL_ERL_ARGS: LOOPBACK,
    // Makes the script become the server instead of waiting for it.
    RUNNING_UNDER_SYSTEMD: "true",
  };
}
