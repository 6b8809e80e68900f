import { Beats } from "./beats.ts";
import { advance, Envelope, type Run } from "./envelope.ts";
import { compareIds, type Position } from "./position.ts";
import { type Past, type Place, Replay } from "./replay.ts";
import { Window, type WindowOptions } from "./window.ts";

export interface HistoryOptions extends WindowOptions {
  /** The largest message taken, in bytes of UTF-8. */
  readonly maxMessageBytes: number;
  /** Whether the channel is in use; where it is not, no position has a part of it. */
  readonly channel: boolean;
}

/**
 * What a node can do for a client that resumes:
 * - `known`: tell it what it missed;
 * - `ahead`: ask again when the node has heard more; it is not there yet;
 * - `unknown beat`: ask again once it has heard a beat of its own; then there is no more hope;
 * - `lost`: tell it that something may have been lost.
 */
export type Resumption =
  | { readonly state: "known"; readonly replay: Replay }
  | { readonly state: Nowhere };

type Nowhere = "ahead" | "unknown beat" | "lost";

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
 *   channel: true,
 * });
 * history.filled("0-0");
 * history.beat("b1", 0);
 * const { position } = history;
 *
 * const delivery = history.message('{"recipients":["ann"],"n":1}', 10).read();
 * if (typeof delivery === "string") throw new Error(delivery);
 *
 * const resumption = history.resume(position, ["ann"]);
 * if (resumption.state !== "known") throw new Error(resumption.state);
 * assertEquals(resumption.replay.read(1_000), [delivery.event]);
 * assertEquals(resumption.replay.done, true);
 * ```
 */
export class History implements Past {
  readonly window: Window;
  readonly #options: HistoryOptions;
  readonly #beats = new Beats();
  /** Where the node was before the run. */
  #place: Position = { stream: "0-0", beat: "", since: 0 };
  /** The number of the channel's messages before the run. */
  #before = 0;
  /** The envelopes that came last, up to the window's end, unless something came between. */
  #run: Run | undefined;
  #breaks = 0;
  /** Whether anything is known of the stream. */
  #begun = false;
  /** Where the stream begins anew: everything behind `id` is in the window, or was. */
  #start = { id: "0-0", number: 0 };
  /** The first entry behind that place. */
  #first: string | undefined;
  /** The last id before the stream was replaced: whoever stands there stands in another stream. */
  #replaced: string | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.window = new Window(options);
  }

  /** Where the node is. */
  get position(): Position {
    const run = this.#run;
    return run === undefined ? this.#place : advance(run.position, this.window.end - 1 - run.first);
  }

  /** How often messages were lost to the node. */
  get breaks(): number {
    return this.#breaks;
  }

  /** A message of the channel. Returns its envelope, which reads itself once somebody asks. */
  message(text: string, now: number): Envelope {
    const run = this.#run;
    if (run === undefined || now - run.at >= 1) {
      this.#begin("channel", advance(this.position, 1), now);
    }
    return this.#keep(text, now);
  }

  /** An entry of the stream. Returns its envelope, which reads itself once somebody asks. */
  entry(id: string, text: string, now: number): Envelope {
    if (!this.#begun) this.#startAt(id);
    this.#first ??= id;
    this.#begin("stream", { ...this.position, stream: id }, now);
    return this.#keep(text, now);
  }

  /** A beat, from whichever node. */
  beat(id: string, now: number): void {
    this.window.trim(now);
    this.#beats.add(id, { heard: this.#heard, number: this.window.end });
    this.#beats.trim(this.#lost);
    this.#move({ ...this.position, beat: id, since: 0 });
  }

  /** All that the stream held at the start has been heard; the last id it has given is `id`. */
  filled(id: string): void {
    if (!this.#begun) this.#startAt(id);
    // The last entries may be gone, which other nodes have heard.
    const { position } = this;
    if (compareIds(id, position.stream) > 0) this.#move({ ...position, stream: id });
  }

  /**
   * Messages of this source may have been lost: nobody resumes across this place, and who is in the
   * middle of a replay is told. The stream goes on from `id`.
   */
  gap(source: Envelope["source"], id: string = this.position.stream): void {
    this.#breaks++;
    if (source === "channel") {
      this.#beats.clear();
      this.#move({ ...this.position, beat: "", since: 0 });
    } else {
      const last = this.position.stream;
      if (this.#begun && compareIds(id, last) <= 0) this.#replace(last);
      this.#startAt(id);
    }
  }

  /** What can be done for a client at `position` that hears for `recipients`; they are distinct. */
  resume(position: Position, recipients: readonly string[]): Resumption {
    const stream = this.#placeInStream(position);
    const channel = this.#placeInChannel(position);
    if (typeof stream !== "string" && typeof channel !== "string") {
      const places = { stream, channel };
      return { state: "known", replay: new Replay({ past: this, recipients, position, places }) };
    }
    const states = [stream, channel];
    if (states.includes("lost")) return { state: "lost" };
    return { state: states.includes("unknown beat") ? "unknown beat" : "ahead" };
  }

  #keep(text: string, now: number): Envelope {
    const { window } = this;
    const run = this.#run!;
    const envelope = new Envelope(run, window.end, text);
    // What is surely too large is forgotten at once: it must not crowd out the others.
    window.push(run, text.length > run.maxBytes ? "" : text);
    window.trim(now);
    return envelope;
  }

  /** The number of the channel's messages. */
  get #heard(): number {
    const run = this.#run;
    return run === undefined ? this.#before : run.heard + this.window.end - 1 - run.first;
  }

  /** The next envelope begins a run, with which the node is at `position`. */
  #begin(source: Run["source"], position: Position, now: number): void {
    this.#run = {
      first: this.window.end,
      source,
      position,
      heard: this.#heard + Number(source === "channel"),
      at: now,
      maxBytes: this.#options.maxMessageBytes,
    };
  }

  /** The node is at `position` without an envelope. */
  #move(position: Position): void {
    this.#before = this.#heard;
    this.#place = position;
    this.#run = undefined;
  }

  #replace(last: string): void {
    const replaced = this.#replaced;
    if (replaced === undefined || compareIds(last, replaced) > 0) this.#replaced = last;
  }

  #startAt(id: string): void {
    this.#begun = true;
    this.#start = { id, number: this.window.end };
    this.#first = undefined;
    this.#move({ ...this.position, stream: id });
  }

  #placeInStream({ stream }: Position): Place | Nowhere {
    const { window } = this;
    if (this.#replaced !== undefined && compareIds(stream, this.#replaced) <= 0) return "lost";
    if (compareIds(stream, this.position.stream) > 0) return "ahead";
    const { id, number } = this.#start;
    const start = window.first > number ? window.lost!.position.stream : id;
    if (compareIds(stream, start) < 0 || this.#isOfAnother(stream)) return "lost";
    const search = (isBefore: (difference: number) => boolean) =>
      // What was heard before the start is of another stream, or too old.
      Math.max(
        number,
        window.search(({ position }) => isBefore(compareIds(position.stream, stream))),
      );
    return {
      from: search((difference) => difference <= 0),
      level: search((difference) => difference < 0),
    };
  }

  /** A stream that began empty has given no id before its first entry's: another stream has. */
  #isOfAnother(id: string): boolean {
    if (this.#start.id !== "0-0" || id === "0-0") return false;
    return this.#first !== undefined && compareIds(id, this.#first) < 0;
  }

  #placeInChannel({ beat, since }: Position): Place | Nowhere {
    const { window } = this;
    if (!this.#options.channel) {
      return beat === "" && since === 0 ? { from: window.end, level: window.first } : "lost";
    }
    if (beat === "") return "lost";
    const milestone = this.#beats.get(beat);
    if (milestone === undefined) return "unknown beat";
    const place = milestone.heard + since;
    if (place > this.#heard) return "ahead";
    if (place < this.#lost) return "lost";
    return {
      from: window.search(({ heard }) => heard <= place),
      // Before the beat, the same place bears an older name, which fewer nodes know.
      level: Math.max(milestone.number, window.search(({ heard }) => heard < place)),
    };
  }

  /** The number of the channel's messages that the window has left behind. */
  get #lost(): number {
    return this.window.lost?.heard ?? 0;
  }
}
