import { Buckets } from "../core/buckets.ts";
import type { Connection } from "../core/delivery/connection.ts";
import type { MissedEvents } from "../core/delivery/outbox.ts";
import type { History } from "../core/history/history.ts";
import type { ResumeResult } from "../core/history/resume_result.ts";
import type { Replay } from "../core/history/replay.ts";
import { type BroughtPosition, parseCursor } from "../core/position.ts";
import { gapEvent, welcomeEvent } from "../core/server_event.ts";
import { Tally } from "../core/tally.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** How long a client whose cursor is ahead of this node waits for it to get there, in milliseconds. */
const PATIENCE_MS = 10_000;
/** How often waiting clients are looked at, and at most how often a marker is asked for. */
const CHECK_MS = 50;
/** Own markers heard since a client came, with which all that was published before it came is heard. */
const OWN_MARKERS = 2;

/** What durations of replays are told apart, in seconds. */
const REPLAY_SECONDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 30, 60];

interface PendingResumption {
  readonly connection: Connection;
  readonly position: BroughtPosition;
  readonly until: number;
  /** Whether its marker was unknown at the last look. */
  isMarkerUnknown: boolean;
  /** The own markers that must still be heard before an unknown marker is given up. */
  ownMarkers: number;
}

export interface ResumptionsOptions {
  readonly history: History;
  /** Where clients wait for their turn that come together. */
  readonly turns: TurnQueue;
  /** Has a marker of this node sent soon. */
  readonly probe: () => void;
  /** How long the next event stream's client waits before it comes back, in milliseconds. */
  readonly welcomeRetryMs: () => number;
  /** Called when it is decided from where a connection goes on. */
  readonly onDecided?: (connection: Connection, result: DecidedResult) => void;
}

type DecidedResult = ResumeResult & { readonly state: "decided" };

/** How a resumption ends, for the metrics. */
export const RESUME_OUTCOMES = [
  "recovered",
  "lost_channel",
  "lost_stream",
  "lost_both",
  "unknown_cursor",
] as const;

/** What became of resumptions, for the metrics. */
export interface ResumptionCounts {
  readonly outcomes: ReadonlyMap<(typeof RESUME_OUTCOMES)[number], number>;
  /** Messages that were read to clients out of the window. */
  readonly replayed: number;
  /** Clients that wait until it is known what can be done for them. */
  readonly pending: number;
}

/** Lets clients go on from the cursor that they bring: told what they missed, or that it is lost. */
export class Resumptions implements Disposable {
  readonly #history: History;
  readonly #turns: TurnQueue;
  readonly #probe: () => void;
  readonly #welcomeRetryMs: () => number;
  readonly #onDecided: ResumptionsOptions["onDecided"];
  readonly #pending = new Set<PendingResumption>();
  readonly #outcomes = new Tally<(typeof RESUME_OUTCOMES)[number]>(RESUME_OUTCOMES);
  #replayed = 0;
  /** How long clients took to catch up with what they had missed, in seconds. */
  readonly replaySeconds = new Buckets(REPLAY_SECONDS);
  /** How many of them are still to be looked at this time. */
  #unchecked = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor({ history, turns, probe, welcomeRetryMs, onDecided }: ResumptionsOptions) {
    this.#onDecided = onDecided;
    this.#history = history;
    this.#turns = turns;
    this.#probe = probe;
    this.#welcomeRetryMs = welcomeRetryMs;
  }

  /** What became of them so far. */
  get counts(): ResumptionCounts {
    return {
      outcomes: this.#outcomes.counts,
      replayed: this.#replayed,
      pending: this.#pending.size,
    };
  }

  /** Welcomes `connection`, which brought `cursor`, as soon as it is known what can be done for it. */
  resume(connection: Connection, cursor: string): void {
    this.#turns.run(() => this.#start(connection, cursor));
  }

  /** A marker was heard. */
  onMarker(own: boolean): void {
    if (this.#pending.size === 0) return;
    if (own) {
      for (const pending of this.#pending) pending.ownMarkers--;
    }
    this.#check();
    // The bus is busy with this marker until it returns, and would take that for the one asked for.
    if (own) queueMicrotask(() => this.#askForMarker());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #start(connection: Connection, cursor: string): void {
    if (connection.ended) return;
    const position = parseCursor(cursor);
    if (position === undefined) {
      this.#outcomes.add("unknown_cursor");
      return this.#begin(connection, this.#history.lose(connection.recipients));
    }
    const until = performance.now() + PATIENCE_MS;
    const pending = {
      connection,
      position,
      until,
      isMarkerUnknown: false,
      ownMarkers: OWN_MARKERS,
    };
    if (this.#try(pending)) return;
    this.#pending.add(pending);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS);
    this.#askForMarker();
  }

  /** A client that is ahead waits for messages: a marker more would not help it. */
  #askForMarker(): void {
    for (const { isMarkerUnknown, ownMarkers } of this.#pending) {
      if (isMarkerUnknown && ownMarkers > 0) return this.#probe();
    }
  }

  /** Looks at all that are pending, unless that is under way. */
  #check(): void {
    if (this.#unchecked > 0) return;
    this.#unchecked = this.#pending.size;
    for (const pending of [...this.#pending]) {
      this.#turns.run(() => {
        this.#unchecked--;
        if (this.#try(pending)) this.#pending.delete(pending);
        if (this.#pending.size === 0) this.#stopTimer();
      });
    }
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Returns whether `pending` need not wait any more. */
  #try(pending: PendingResumption): boolean {
    const { connection, position, until, ownMarkers } = pending;
    if (connection.ended) return true;
    const { recipients } = connection;
    const result = this.#history.resume(position, recipients);
    if (result.state === "decided") {
      this.#decide(connection, result);
      return true;
    }
    pending.isMarkerUnknown = result.undecided.has("unknown marker");
    const isHopeless = performance.now() >= until ||
      (ownMarkers <= 0 && !result.undecided.has("ahead"));
    if (!isHopeless) return false;
    const final = this.#history.resume(position, recipients, { isFinal: true });
    if (final.state === "decided") this.#decide(connection, final);
    return true;
  }

  #decide(connection: Connection, result: DecidedResult): void {
    const { lost: [first, second] } = result;
    this.#outcomes.add(
      first === undefined ? "recovered" : second === undefined ? `lost_${first}` : "lost_both",
    );
    this.#begin(connection, result);
  }

  #begin(connection: Connection, result: DecidedResult): void {
    const { replay, lost } = result;
    this.#onDecided?.(connection, result);
    connection.push(
      welcomeEvent(replay.position, { recovery: { lost }, retryMs: this.#welcomeRetryMs() }),
    );
    const began = performance.now();
    connection.replay(tellingGaps(replay, (count) => {
      this.#replayed += count;
      // The read that reaches the head is the last one.
      if (replay.done) this.replaySeconds.observe((performance.now() - began) / 1000);
    }));
  }
}

/** Puts `gap` where the replay was overtaken; `onRead` is told how many messages were read. */
function tellingGaps(replay: Replay, onRead: (count: number) => void): MissedEvents {
  return {
    read(maxSize) {
      const events = replay.read(maxSize);
      onRead(events.length);
      const { overtaken } = replay;
      if (overtaken === undefined) return events;
      const { position, sources } = overtaken;
      return [...sources.map((source) => gapEvent(position, source)), ...events];
    },
    get done() {
      return replay.done;
    },
    get paused() {
      return replay.paused;
    },
  };
}
