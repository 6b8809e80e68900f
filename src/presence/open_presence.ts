import type { Settings } from "../settings/settings.ts";
import { MemoryPresence } from "./memory.ts";
import type { NodeRegistry, NodeReport, Presence } from "./port.ts";
import { RedisPresence } from "./redis.ts";

/** Where notices are published: a bus, which this room does not import. */
export interface NoticePublisher {
  /** Publishes `payload` on `channel`; rejects when it could not. */
  notify(channel: string, payload: string): Promise<void>;
}

/** What a presence needs beside the settings. */
export interface OpenPresenceOptions {
  /** Publishes the notices of the embedded presence. */
  readonly bus: NoticePublisher;
  /** This node: no other has or had the same. At most 20 characters of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** What the node says of itself to the others, asked each few seconds. */
  readonly report: () => NodeReport;
}

/**
 * The presence that the settings ask for: over all nodes of a Redis, or the embedded one.
 * @throws {TypeError} when the URL of Redis cannot be read; the message shows nothing of it.
 */
export function openPresence(
  settings: Pick<
    Settings,
    | "redisUrl"
    | "redisSentinelUsername"
    | "redisSentinelPassword"
    | "redisPrefix"
    | "host"
    | "port"
    | "internalPort"
    | "reusePort"
    | "connectedChannel"
    | "disconnectedChannel"
    | "presenceGraceSeconds"
  >,
  { bus, nodeId, report }: OpenPresenceOptions,
): Presence & NodeRegistry {
  const { redisUrl, host, connectedChannel, disconnectedChannel } = settings;
  // Where processes share a port, the other one tells them apart.
  const port = (settings.reusePort ? settings.internalPort : undefined) ?? settings.port;
  const graceMs = settings.presenceGraceSeconds * 1000;
  if (redisUrl === undefined) {
    const channels = { connected: connectedChannel, disconnected: disconnectedChannel };
    return new MemoryPresence({
      notify: (kind, recipient) => bus.notify(channels[kind], recipient),
      graceMs,
      self: () => ({ ...report(), id: nodeId, isThis: true, address: `${host}:${port}` }),
    });
  }
  return new RedisPresence({
    url: redisUrl,
    sentinel: {
      username: settings.redisSentinelUsername,
      password: settings.redisSentinelPassword,
    },
    prefix: settings.redisPrefix,
    connectedChannel,
    disconnectedChannel,
    nodeId,
    port,
    report,
    timing: { graceMs },
  });
}
