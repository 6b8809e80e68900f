import type { Bus } from "../bus/port.ts";
import { FlushScheduler } from "../core/delivery/flush_scheduler.ts";
import { Hub } from "../core/delivery/hub.ts";
import { History } from "../core/history/history.ts";
import type { LookUps } from "../keystores/mod.ts";
import type { Presence } from "../presence/mod.ts";
import type { Settings } from "../settings/settings.ts";
import type { Tracing } from "../tracing/mod.ts";
import { Admission } from "./admission.ts";
import { AttachmentLog } from "./attachment_log.ts";
import { Disconnects } from "./disconnects.ts";
import { ConnectionManager, welcomeRetryMs } from "./connection_manager.ts";
import { Intake } from "./intake.ts";
import { Limits } from "./limits.ts";
import { Resumptions } from "./resumptions.ts";
import { Router } from "./router.ts";
import { TurnQueue } from "./turn_queue.ts";

export interface GatewayOptions {
  readonly settings: Settings;
  readonly lookUps: LookUps;
  readonly presence: Presence;
  readonly bus: Pick<Bus, "probe">;
  readonly tracing?: Tracing | undefined;
}

/** The middle of a node: the parts that messages and connections pass, put together. */
export class Gateway implements Disposable {
  readonly hub = new Hub();
  readonly history: History;
  /** Which connections came and went, for operators. */
  readonly attachments: AttachmentLog;
  readonly limits: Limits;
  /** What the bus hands its envelopes to. */
  readonly router: Router;
  /** What transports open connections with. */
  readonly manager: ConnectionManager;
  /** Whether a restart is simulated: no client is admitted until it is over. */
  isRestarting = false;
  /** Where clients go on that bring a cursor. */
  readonly resumptions: Resumptions;
  #isDraining = false;

  constructor({ settings, lookUps, presence, bus, tracing }: GatewayOptions) {
    this.limits = new Limits(settings);
    this.history = new History({
      maxAgeMs: settings.historySeconds * 1000,
      maxBytes: settings.historyBytes,
      maxMessageBytes: settings.maxMessageBytes,
      hashSeed: crypto.getRandomValues(new Int32Array(1))[0]!,
      sources: [
        ...settings.redisChannel === undefined ? [] : ["channel"] as const,
        ...settings.redisStream === undefined ? [] : ["stream"] as const,
      ],
    });
    this.attachments = new AttachmentLog(() => this.history.window.end);
    const turns = new TurnQueue();
    this.resumptions = new Resumptions({
      history: this.history,
      turns,
      probe: () => bus.probe(),
      welcomeRetryMs,
      onDecided: ({ id, recipients }, { replay, lost }) => {
        const { channel, stream } = replay.starts;
        const from = {
          ...lost.includes("channel") ? {} : { channel: channel.first },
          ...lost.includes("stream") ? {} : { stream: stream.first },
        };
        this.attachments.add({ kind: "resumed", connection: id, recipients, detail: "", from });
      },
    });
    const { maxBufferedBytes } = settings;
    const disconnects = new Disconnects(lookUps);
    const scheduler = new FlushScheduler({
      atEnd: queueMicrotask,
      // As in TurnQueue: setImmediate would keep the runtime from asking its sockets.
      later: (flush) => void setTimeout(flush, 0),
      now: () => performance.now(),
    });
    const shared = {
      hub: this.hub,
      history: this.history,
      resumptions: this.resumptions,
      scheduler,
      attachments: this.attachments,
      intake: new Intake({
        maxOwedBytes: maxBufferedBytes / 2,
        isFlushing: () => scheduler.isBehind,
      }),
    };
    this.router = new Router({
      ...shared,
      tracing,
      disconnect: (order) => disconnects.carryOut(order, this.manager.connections),
    });
    const { limits } = this;
    const admission = new Admission({ settings, lookUps, limits, disconnects, node: this });
    this.manager = new ConnectionManager({
      ...shared,
      admission,
      disconnects,
      presence,
      turns,
      maxBufferedBytes,
    });
  }

  /** Whether the node is going away: no client is admitted any more. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Whether the window was read, so that clients can resume here. */
  get isHistoryLoaded(): boolean {
    return this.router.isHistoryLoaded;
  }

  /** From now on no client is admitted. */
  startDraining(): void {
    this.#isDraining = true;
  }

  [Symbol.dispose](): void {
    this.resumptions[Symbol.dispose]();
    this.manager[Symbol.dispose]();
  }
}
