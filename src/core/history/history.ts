import {
  advance,
  type BroughtPosition,
  compareIds,
  type Position,
  type Source,
} from "../position.ts";
import { type EntryRun, HistoryEntry } from "./history_entry.ts";
import { HistoryWindow, type HistoryWindowOptions } from "./history_window.ts";
import { ChannelCoverage, type ChannelPlace } from "./channel_coverage.ts";
import { Replay, type ReplaySource, type ReplayStart } from "./replay.ts";
import type { ResumeResult, Undecided } from "./resume_result.ts";
import { StreamCoverage } from "./stream_coverage.ts";

export interface HistoryOptions extends HistoryWindowOptions {
  /** The sources in use. What a cursor says of another is ignored. */
  readonly sources: readonly Source[];
}

/**
 * What a node has heard lately, and so where it is. It is fed with all that the bus hands over, each
 * time with the time `now` in milliseconds, of a clock that never goes back.
 *
 * @example The way of a message
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { History } from "./history.ts";
 *
 * const history = new History({
 *   maxAgeMs: 300_000,
 *   maxBytes: 67_108_864,
 *   maxMessageBytes: 262_144,
 *   hashSeed: 1_234_567,
 *   sources: ["channel", "stream"],
 * });
 * history.historyLoaded("0-0");
 * history.marker("node-1", 0);
 * const { position } = history;
 *
 * const delivery = history.message('{"recipients":["ann"],"n":1}', 10).read();
 * if (typeof delivery === "string") throw new Error(delivery);
 *
 * const result = history.resume(position, ["ann"]);
 * if (result.state !== "decided") throw new Error(result.state);
 * assertEquals(result.replay.read(1_000), [delivery.event]);
 * assertEquals(result.replay.done, true);
 * ```
 */
export class History implements ReplaySource {
  readonly window: HistoryWindow;
  readonly #options: HistoryOptions;
  readonly #channel: ChannelCoverage;
  readonly #stream = new StreamCoverage();
  readonly #breaks: Record<Source, number> = { channel: 0, stream: 0 };
  /** Where the node was before the run. */
  #place: Position = { stream: "0-0", marker: "", since: 0 };
  /** How many of the channel's messages came before the run. */
  #before = 0;
  /** The entries that came last, up to the window's end, unless something came between. */
  #run: EntryRun | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.window = new HistoryWindow(options);
    this.#channel = new ChannelCoverage(options.maxAgeMs);
  }

  /** Where the node is. */
  get position(): Position {
    const run = this.#run;
    return run === undefined ? this.#place : advance(run.position, this.window.end - 1 - run.first);
  }

  /** The sources in use. */
  get sources(): readonly Source[] {
    return this.#options.sources;
  }

  /** How often messages of each source were lost to the node. */
  get breaks(): Readonly<Record<Source, number>> {
    return this.#breaks;
  }

  /** A message of the channel. Returns its entry, which reads itself at the first demand. */
  message(text: string, now: number): HistoryEntry {
    const run = this.#run;
    if (run === undefined || now - run.at >= 1) {
      this.#begin("channel", advance(this.position, 1), now);
    }
    return this.#keep(text, now);
  }

  /** An entry of the stream. Returns it; it reads itself at the first demand. */
  entry(id: string, text: string, now: number): HistoryEntry {
    if (this.#stream.state === "unknown") this.#startAt(id);
    this.#stream.add(id);
    this.#begin("stream", { ...this.position, stream: id }, now);
    return this.#keep(text, now);
  }

  /** A marker, of any node. One that was heard before is ignored. */
  marker(id: string, now: number): void {
    this.window.trim(now);
    if (!this.#channel.add(id, this.#channelPlace, now)) return;
    this.#move({ ...this.position, marker: id, since: 0 });
  }

  /** All that the stream held at the start has been heard; the last id it has given is `id`. */
  historyLoaded(id: string): void {
    if (this.#stream.state === "unknown") this.#startAt(id);
    // The last entries may be gone, which other nodes have heard.
    const { position } = this;
    if (compareIds(id, position.stream) > 0) this.#move({ ...position, stream: id });
  }

  /**
   * Messages of this source may have been lost: no client resumes across this place, and one in the
   * middle of a replay is told. The stream goes on from `id`.
   */
  gap(source: Source, id: string = this.position.stream): void {
    this.#breaks[source]++;
    if (source === "channel") {
      this.#channel.clear();
      this.#move({ ...this.position, marker: "", since: 0 });
    } else {
      this.#startAt(id, this.position.stream);
    }
  }

  /**
   * What can be done for a client at `position` that hears for `recipients`; they are distinct. Each
   * source is resumed by itself.
   * @param isFinal whether what is undecided counts as lost: the client has waited long enough
   */
  resume(
    position: BroughtPosition,
    recipients: readonly string[],
    { isFinal = false }: { readonly isFinal?: boolean } = {},
  ): ResumeResult {
    const located = this.locate(position);
    const undecided = Object.values(located).filter((it) =>
      it === "ahead" || it === "unknown marker"
    );
    if (undecided.length > 0 && !isFinal) {
      return { state: "undecided", undecided: new Set(undecided) };
    }
    const lost = this.sources.filter((source) => typeof located[source] === "string");
    return { state: "decided", lost, replay: this.#replay(position, recipients, located) };
  }

  /** Where `position` lies in the window, for each source by itself. */
  locate(position: BroughtPosition): Record<Source, ReplayStart | Undecided | "lost"> {
    return {
      stream: this.#locateInStream(position),
      channel: this.#locateInChannel(position),
    };
  }

  /** A client whose cursor is not understood: every source in use is lost to it. */
  lose(recipients: readonly string[]): ResumeResult & { readonly state: "decided" } {
    const replay = this.#replay(this.position, recipients, { stream: "lost", channel: "lost" });
    return { state: "decided", lost: this.sources, replay };
  }

  #replay(
    { stream, marker, since }: BroughtPosition,
    recipients: readonly string[],
    located: Record<Source, ReplayStart | string>,
  ): Replay {
    const { position, window } = this;
    // A source that cannot be proven begins at the present: nothing of its past is replayed.
    const present = { first: window.end, caughtUpAt: window.end };
    const isKnown = (source: Source) =>
      this.sources.includes(source) && typeof located[source] !== "string";
    const isStreamKnown = isKnown("stream");
    const isChannelKnown = isKnown("channel") && marker !== undefined;
    return new Replay({
      source: this,
      recipients,
      position: {
        stream: isStreamKnown ? stream : position.stream,
        marker: isChannelKnown ? marker : position.marker,
        since: isChannelKnown ? since : position.since,
      },
      starts: {
        stream: typeof located.stream === "string" ? present : located.stream,
        channel: typeof located.channel === "string" ? present : located.channel,
      },
    });
  }

  #keep(text: string, now: number): HistoryEntry {
    const { window } = this;
    const run = this.#run!;
    const entry = new HistoryEntry(run, window.end, text);
    // A text that is surely too large is not kept: it would push out the others.
    window.push(run, text.length > run.maxBytes ? "" : text);
    window.trim(now);
    return entry;
  }

  /** How many messages came on the channel. */
  get #heard(): number {
    const run = this.#run;
    return run === undefined ? this.#before : run.heard + this.window.end - 1 - run.first;
  }

  /** The next entry begins a run, with which the node is at `position`. */
  #begin(source: Source, position: Position, now: number): void {
    this.#run = {
      first: this.window.end,
      source,
      position,
      heard: this.#heard + Number(source === "channel"),
      at: now,
      maxBytes: this.#options.maxMessageBytes,
    };
  }

  /** The node is at `position` without an entry. */
  #move(position: Position): void {
    this.#before = this.#heard;
    this.#place = position;
    this.#run = undefined;
  }

  #startAt(id: string, last?: string): void {
    this.#stream.begin({ id, number: this.window.end }, last);
    this.#move({ ...this.position, stream: id });
  }

  #locateInStream({ stream }: BroughtPosition): ReplayStart | Undecided | "lost" {
    const { window } = this;
    if (!this.sources.includes("stream")) return { first: window.end, caughtUpAt: window.end };
    return this.#stream.locate(stream, this.position.stream, window);
  }

  #locateInChannel({ marker, since }: BroughtPosition): ReplayStart | Undecided | "lost" {
    const { window } = this;
    // Without a part of the channel the client begins now, which is no loss.
    if (!this.sources.includes("channel") || marker === undefined) {
      return { first: window.end, caughtUpAt: window.end };
    }
    return this.#channel.locate({ marker, since }, this.#channelPlace);
  }

  get #channelPlace(): ChannelPlace {
    return { heard: this.#heard, window: this.window };
  }
}
