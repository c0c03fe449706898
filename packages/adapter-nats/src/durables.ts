import { IntermodalError } from "@intermodal/core/ports";
import type { ConsumerConfig, ConsumerInfo } from "@nats-io/jetstream";
import { LONGEST_LEASE_MS } from "./options.ts";
import type { Session } from "./session.ts";
import { differences, MS } from "./topology.ts";

export interface Durable {
  readonly durable: string;
  readonly filters: readonly string[];
  readonly leaseMs: number;
  /** Where one that is made now starts; asked for only then. @default at the oldest message */
  readonly start?: (() => Promise<Start>) | undefined;
  /** One that is there is taken as it is: a process that comes back may be of an older version than those that set it meanwhile. @default false */
  readonly asItIs?: boolean | undefined;
}

export type Start = Pick<ConsumerConfig, "deliver_policy"> & Partial<Pick<ConsumerConfig, "opt_start_seq">>;

/** More processes than anybody has; 512 by default would be silently too few. */
const MAX_WAITING = 8_192;

/**
 * Makes a durable, or brings the one that is there to what is needed.
 * @throws `ApiRefusal` when its stream is missing; `CONFIG_INVALID`.
 */
export async function putDurable(session: Session, stream: string, durable: Durable): Promise<ConsumerInfo> {
  const { api, logger } = session;
  const wanted = {
    filter_subjects: [...durable.filters].sort(),
    ack_wait: durable.leaseMs * MS,
    // What waits for its lease to end must hold up nobody else.
    max_ack_pending: -1,
    max_deliver: -1,
    max_waiting: MAX_WAITING,
  };
  const found = await api.consumerInfo(stream, durable.durable);
  if (found === undefined) {
    return api.putConsumer(stream, {
      durable_name: durable.durable,
      ack_policy: "explicit",
      deliver_policy: "all",
      ...(await durable.start?.()),
      ...wanted,
    });
  }
  const { config } = found;
  if (config.ack_policy !== "explicit" || config.deliver_subject !== undefined)
    throw new IntermodalError(
      "CONFIG_INVALID",
      `consumer ${durable.durable} of stream ${stream} exists with other settings that can't be changed (it pushes, or needs no explicit ack): delete it`,
    );
  if (durable.asItIs) return found;
  // Those who hold messages renew by the lease that they knew: shortened under them, it would run out in between.
  if (config.ack_wait !== undefined && config.ack_wait <= LONGEST_LEASE_MS * MS)
    wanted.ack_wait = Math.max(wanted.ack_wait, config.ack_wait);
  const changes = differences(wanted, { ...config, filter_subjects: filtersOf(config) });
  if (changes.length === 0) return found;
  for (const { field, has, wants } of changes)
    logger.warn(
      `consumer ${durable.durable}: ${field} is changed from ${JSON.stringify(has)} to ${JSON.stringify(wants)}`,
    );
  const { filter_subject, ...rest } = config;
  return api.putConsumer(stream, { ...rest, ...wanted });
}

function filtersOf({ filter_subject, filter_subjects }: ConsumerConfig): string[] {
  return [...(filter_subjects ?? (filter_subject ? [filter_subject] : []))].sort();
}
