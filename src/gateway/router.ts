import { getLogger } from "@logtape/logtape";
import type { BusListener, DisconnectOrder, Source } from "../bus/port.ts";
import type { FlushScheduler } from "../core/delivery/flush_scheduler.ts";
import type { Hub } from "../core/delivery/hub.ts";
import type { History } from "../core/history/history.ts";
import type { HistoryEntry } from "../core/history/history_entry.ts";
import { formatCursor } from "../core/position.ts";
import { Buckets } from "../core/buckets.ts";
import { excerpt } from "../core/excerpt.ts";
import { MALFORMED, type Malformed } from "../core/malformed.ts";
import { isForNoneOf } from "../core/message.ts";
import { gapEvent, type ServerMessage } from "../core/server_event.ts";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";
import type { Intake } from "./intake.ts";
import type { AttachmentLog } from "./attachment_log.ts";
import { RecentDrops } from "./recent_drops.ts";
import type { Resumptions } from "./resumptions.ts";
import { Tally } from "../core/tally.ts";
import { findTraceparent } from "../core/traceparent.ts";
import type { DeliverySpan, Tracing } from "../tracing/port.ts";

const log = getLogger(["keywire", "gateway"]);

/** Lines of the log about one reason are at least so far apart, in milliseconds. */
const LOG_EVERY_MS = 1_000;

/**
 * Events of so many bytes are flushed before the turn ends. With less, a message of a thousand recipients,
 * large in Redis and small on the wire, would cost each of them a write of its own.
 */
const FLUSH_BYTES = 65_536;

/** What delivery lags are told apart, in seconds. */
const LAG_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface RouterOptions {
  readonly hub: Hub;
  readonly history: History;
  readonly resumptions: Resumptions;
  /** Carries out what a backend orders. */
  readonly disconnect: (order: DisconnectOrder) => void;
  readonly intake: Intake;
  readonly scheduler: FlushScheduler;
  /** Remembers gaps. */
  readonly attachments?: Pick<AttachmentLog, "add">;
  /** Hears of deliveries that their backends trace; undefined: tracing is off. */
  readonly tracing?: Tracing | undefined;
}

/** What the router did, for the metrics. */
export interface RouterCounts {
  /** Envelopes that the bus handed over. */
  readonly received: number;
  /** The same by source. */
  readonly receivedFrom: ReadonlyMap<Source, number>;
  /** Those that name no recipient of this node. */
  readonly notForThisNode: number;
  /** Messages that connections were owed. */
  readonly delivered: number;
  readonly gaps: ReadonlyMap<Source, number>;
  readonly dropped: ReadonlyMap<Malformed, number>;
}

/** A message's way: what the bus hands over goes into the history, and to the connections here. */
export class Router implements BusListener {
  readonly #hub: Hub;
  readonly #history: History;
  readonly #resumptions: Resumptions;
  /** From an entry's id, which Redis makes of its clock, to its write, in seconds: one a turn. */
  readonly deliveryLag = new Buckets(LAG_SECONDS);
  /** What the bus hands over of `BusListener.disconnect`. */
  readonly disconnect: (order: DisconnectOrder) => void;
  readonly #intake: Intake;
  readonly #scheduler: FlushScheduler;
  readonly #attachments: RouterOptions["attachments"];
  /** The last envelopes that were dropped. */
  readonly drops = new RecentDrops();
  readonly #tracing: Tracing | undefined;
  #messages = 0;
  #entries = 0;
  #notForThisNode = 0;
  #delivered = 0;
  readonly #gaps = new Tally<Source>(["channel", "stream"]);
  readonly #dropped = new Tally<Malformed>(Object.keys(MALFORMED) as Malformed[]);
  /** No connection is owed more than this that was not flushed, in about bytes. */
  #unflushed = 0;
  /** Whether the lag of this turn is being looked at. */
  #isSampling = false;
  #isHistoryLoaded = false;
  #isChannelHeard = false;
  readonly #logLimiter = new LogLimiter({ everyMs: LOG_EVERY_MS, onOmitted: logMoreDropped });

  constructor(options: RouterOptions) {
    const { hub, history, resumptions, disconnect, intake, scheduler } = options;
    this.#attachments = options.attachments;
    this.#scheduler = scheduler;
    this.#tracing = options.tracing;
    this.#intake = intake;
    this.#hub = hub;
    this.#history = history;
    this.#resumptions = resumptions;
    this.disconnect = disconnect;
  }

  /** Whether the window was read, so that clients can resume here. */
  get isHistoryLoaded(): boolean {
    return this.#isHistoryLoaded;
  }

  /** What it did so far. */
  get counts(): RouterCounts {
    return {
      received: this.#messages + this.#entries,
      receivedFrom: new Map([["channel", this.#messages], ["stream", this.#entries]]),
      notForThisNode: this.#notForThisNode,
      delivered: this.#delivered,
      gaps: this.#gaps.counts,
      dropped: this.#dropped.counts,
    };
  }

  message(text: string, malformed?: Malformed): void {
    this.#messages++;
    this.#deliver(this.#history.message(text, performance.now()), text, malformed);
  }

  entry(
    id: string,
    text: string,
    replayed: boolean,
    malformed?: Malformed,
    traceparent?: string,
  ): void {
    const entry = this.#history.entry(id, text, performance.now());
    if (replayed) return;
    this.#entries++;
    this.#deliver(entry, text, malformed, traceparent);
    if (!this.#isSampling) this.#sampleLag(id);
  }

  marker(id: string, own: boolean): void {
    this.#history.marker(id, performance.now());
    // Clients that came before the channel was heard may have missed some of it.
    if (!this.#isChannelHeard) this.#tellGap("channel");
    this.#isChannelHeard = true;
    this.#resumptions.onMarker(own);
  }

  ready(): Promise<void> | undefined {
    // The bus may hand over many runs before the turn ends: who is owed much shows by a flush alone.
    if (this.#unflushed >= FLUSH_BYTES) {
      this.#unflushed = 0;
      this.#scheduler.flush();
    }
    return this.#intake.ready();
  }

  gap(source: Source, id?: string): void {
    this.#gaps.add(source);
    this.#attachments?.add({ kind: "gap", connection: 0, recipients: [], detail: source });
    this.#history.gap(source, id);
    this.#tellGap(source);
  }

  historyLoaded(id: string): void {
    this.#history.historyLoaded(id);
    this.#isHistoryLoaded = true;
    this.#tellGap("stream");
  }

  /** Looks when this turn ends, with its writes, how old `id` is by then: once a turn. */
  #sampleLag(id: string): void {
    this.#isSampling = true;
    queueMicrotask(() => {
      this.#isSampling = false;
      this.deliveryLag.observe((Date.now() - Number.parseInt(id)) / 1000);
    });
  }

  #tellGap(source: Source): void {
    if (!this.#history.sources.includes(source)) return;
    this.#hub.deliver("*", gapEvent(this.#history.position, source));
  }

  /** Delivers what is for a connection here; what is for none of them is not even read whole. */
  #deliver(
    entry: HistoryEntry,
    text: string,
    malformed: Malformed | undefined,
    traceparent?: string,
  ): void {
    if (malformed !== undefined) return this.#drop(entry, malformed, text);
    if (isForNoneOf(text, this.#hub.has)) {
      this.#notForThisNode++;
      return;
    }
    const delivery = entry.read();
    if (typeof delivery === "string") return this.#drop(entry, delivery, text);
    const { recipients, event } = delivery;
    this.#unflushed += event.size;
    const span = this.#tracing && beginSpan(this.#tracing, entry, { event, traceparent });
    const connections = this.#hub.deliver(recipients, event);
    this.#delivered += connections;
    // It ends with the turn, which writes.
    if (span !== undefined) queueMicrotask(() => span.end(connections));
  }

  #drop({ source, position }: HistoryEntry, reason: Malformed, text: string): void {
    this.#dropped.add(reason);
    this.drops.add({
      at: Date.now(),
      source,
      id: source === "stream" ? position.stream : formatCursor(position),
      reason,
      ...log.isEnabledFor("debug") ? { excerpt: excerpt(text) } : {},
    });
    const omitted = this.#logLimiter.take(`${source} ${reason}`);
    if (omitted === undefined) return;
    const from = source === "channel" ? "the channel" : `the stream, entry ${position.stream}`;
    const dropped = { from, reason, detail: MALFORMED[reason], more: omittedText(omitted) };
    log.warn("Dropped an envelope of {from}, as {detail}{more}", dropped);
    log.debug("The dropped envelope of {from} begins with {excerpt}", {
      from,
      excerpt: excerpt(text),
    });
  }
}

/** Begins the span of a delivery whose entry, or whose message itself, names a trace. */
function beginSpan(
  tracing: Tracing,
  { source, position }: HistoryEntry,
  { event, traceparent = findTraceparent(event.body) }: {
    readonly event: ServerMessage;
    readonly traceparent: string | undefined;
  },
): DeliverySpan | undefined {
  if (traceparent === undefined) return undefined;
  const id = source === "stream" ? position.stream : undefined;
  return tracing.begin(traceparent, { source, id, size: event.size });
}

function logMoreDropped(key: string, omitted: number): void {
  const [source, reason] = key.split(" ") as [Source, Malformed];
  const dropped = { omitted, source, reason, detail: MALFORMED[reason] };
  log.warn("Dropped {omitted} more envelopes of the {source}, as {detail}", dropped);
}
