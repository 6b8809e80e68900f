import type { Settings } from "../settings/settings.ts";
import { MemoryPresence } from "./memory.ts";
import type { Presence } from "./port.ts";

/** Where notices are published: a bus, which this room does not import. */
export interface NoticePublisher {
  /** Publishes `payload` on `channel`; rejects when it could not. */
  notify(channel: string, payload: string): Promise<void>;
}

/** The presence that the settings ask for. */
export function openPresence(
  { connectedChannel, disconnectedChannel, presenceGraceSeconds }: Pick<
    Settings,
    "connectedChannel" | "disconnectedChannel" | "presenceGraceSeconds"
  >,
  bus: NoticePublisher,
): Presence {
  const channels = { connected: connectedChannel, disconnected: disconnectedChannel };
  return new MemoryPresence({
    notify: (kind, recipient) => bus.notify(channels[kind], recipient),
    graceMs: presenceGraceSeconds * 1000,
  });
}
