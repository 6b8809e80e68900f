import { getLogger } from "@logtape/logtape";
import type { BusListener, Source } from "../bus/port.ts";
import type { Hub } from "../core/delivery/hub.ts";
import type { History } from "../core/history/history.ts";
import type { HistoryEntry } from "../core/history/history_entry.ts";
import { isForNoneOf, type Malformed } from "../core/message.ts";
import { gapEvent } from "../core/server_event.ts";
import { rateLimited } from "../logging/rate_limited.ts";
import type { Resumptions } from "./resumptions.ts";
import { Tally } from "./tally.ts";

const log = getLogger(["keywire", "gateway"]);

const LOG_EVERY_MS = 1_000;

export interface RouterOptions {
  readonly hub: Hub;
  readonly history: History;
  readonly resumptions: Resumptions;
}

/** What the router did, for the metrics. */
export interface RouterCounts {
  /** Envelopes that the bus handed over. */
  readonly received: number;
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
  #received = 0;
  #notForThisNode = 0;
  #delivered = 0;
  readonly #gaps = new Tally<Source>(["channel", "stream"]);
  readonly #dropped = new Tally<Malformed>();
  #isHistoryLoaded = false;
  #isChannelHeard = false;
  readonly #logDropped = rateLimited(
    LOG_EVERY_MS,
    (times, reason) =>
      log.warn(
        "Dropped an envelope: {reason} ({times} since the last such line; see the metrics)",
        {
          reason,
          times,
        },
      ),
  );

  constructor({ hub, history, resumptions }: RouterOptions) {
    this.#hub = hub;
    this.#history = history;
    this.#resumptions = resumptions;
  }

  /** Whether the window was read, so that clients can resume here. */
  get isHistoryLoaded(): boolean {
    return this.#isHistoryLoaded;
  }

  /** What it did so far. */
  get counts(): RouterCounts {
    return {
      received: this.#received,
      notForThisNode: this.#notForThisNode,
      delivered: this.#delivered,
      gaps: this.#gaps.counts,
      dropped: this.#dropped.counts,
    };
  }

  message(text: string): void {
    this.#deliver(this.#history.message(text, performance.now()), text);
  }

  entry(id: string, text: string, replayed: boolean): void {
    const entry = this.#history.entry(id, text, performance.now());
    if (!replayed) this.#deliver(entry, text);
  }

  marker(id: string, own: boolean): void {
    this.#history.marker(id, performance.now());
    // Clients that came before the channel was heard may have missed some of it.
    if (!this.#isChannelHeard) this.#tellGap("channel");
    this.#isChannelHeard = true;
    this.#resumptions.onMarker(own);
  }

  gap(source: Source, id?: string): void {
    this.#gaps.add(source);
    this.#history.gap(source, id);
    this.#tellGap(source);
  }

  historyLoaded(id: string): void {
    this.#history.historyLoaded(id);
    this.#isHistoryLoaded = true;
    this.#tellGap("stream");
  }

  #tellGap(source: Source): void {
    if (!this.#history.sources.includes(source)) return;
    this.#hub.deliver("*", gapEvent(this.#history.position));
  }

  /** Delivers what is for a connection here; what is for none of them is not even read whole. */
  #deliver(entry: HistoryEntry, text: string): void {
    this.#received++;
    if (isForNoneOf(text, this.#hub.has)) {
      this.#notForThisNode++;
      return;
    }
    const delivery = entry.read();
    if (typeof delivery === "string") {
      this.#dropped.add(delivery);
      this.#logDropped(delivery);
      return;
    }
    this.#delivered += this.#hub.deliver(delivery.recipients, delivery.event);
  }
}
