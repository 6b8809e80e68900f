import { Beats } from "./beats.ts";
import { advance, type Base, Envelope } from "./envelope.ts";
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
  /** A place where the node was lately: with the last entry or beat, or a millisecond ago. */
  #base: Base;
  /** The number of the channel's messages since. */
  #ahead = 0;
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
    const position = { stream: "0-0", beat: "", since: 0 };
    this.#base = { position, heard: 0, at: -Infinity, maxBytes: options.maxMessageBytes };
  }

  /** Where the node is. */
  get position(): Position {
    return advance(this.#base.position, this.#ahead);
  }

  /** How often messages were lost to the node. */
  get breaks(): number {
    return this.#breaks;
  }

  /** A message of the channel. Returns its envelope, which reads itself once somebody asks. */
  message(text: string, now: number): Envelope {
    if (now - this.#base.at >= 1) this.#move(this.position, now);
    this.#ahead++;
    return this.#keep(text, now);
  }

  /** An entry of the stream. Returns its envelope, which reads itself once somebody asks. */
  entry(id: string, text: string, now: number): Envelope {
    if (!this.#begun) this.#begin(id);
    this.#first ??= id;
    this.#move({ ...this.position, stream: id }, now);
    return this.#keep(text, now);
  }

  /** A beat, from whichever node. */
  beat(id: string, now: number): void {
    this.window.trim(now);
    this.#beats.add(id, { heard: this.#heard, number: this.window.end });
    this.#beats.trim(this.#lost);
    this.#move({ ...this.position, beat: id, since: 0 }, now);
  }

  /** All that the stream held at the start has been heard; the last id it has given is `id`. */
  filled(id: string): void {
    if (!this.#begun) this.#begin(id);
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
      this.#begin(id);
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
    const envelope = new Envelope(this.#base, this.#ahead, text);
    this.window.push(envelope);
    this.window.trim(now);
    return envelope;
  }

  /** The number of the channel's messages. */
  get #heard(): number {
    return this.#base.heard + this.#ahead;
  }

  /** What comes is counted from here. */
  #move(position: Position, now = this.#base.at): void {
    this.#base = { ...this.#base, position, heard: this.#heard, at: now };
    this.#ahead = 0;
  }

  #replace(last: string): void {
    const replaced = this.#replaced;
    if (replaced === undefined || compareIds(last, replaced) > 0) this.#replaced = last;
  }

  #begin(id: string): void {
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
    const start = window.first > number ? window.lost!.stream : id;
    if (compareIds(stream, start) < 0 || this.#isOfAnother(stream)) return "lost";
    const search = (isBefore: (difference: number) => boolean) =>
      // What was heard before the start is of another stream, or too old.
      Math.max(
        number,
        window.search((envelope) => isBefore(compareIds(envelope.stream, stream))),
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
