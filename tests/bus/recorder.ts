import type { BusListener, DisconnectOrder, Source } from "../../src/bus/port.ts";
import type { Malformed } from "../../src/core/malformed.ts";
import { waitFor } from "../support/wait.ts";

/** Writes down, a line each, all that a bus says, for tests to read. */
export class Recorder implements BusListener {
  /** In order: `message <text>`, `entry <text>`, `past <text>`, `gap <source>`, `filled`, `beat`. */
  readonly lines: string[] = [];
  /** The ids of the stream's entries, in order. */
  readonly ids: string[] = [];
  /** What the stream's entries name as their trace, in order. */
  readonly traceparents: (string | undefined)[] = [];
  /** The ids of the beats, in order. */
  readonly beats: string[] = [];
  /** How many of the beats were this node's. */
  ownBeats = 0;
  /** The id with which the window was filled. */
  filledWith: string | undefined;
  /** The id of the last gap of the stream. */
  gapId: string | undefined;

  message(text: string, malformed?: Malformed): void {
    this.lines.push(`message ${malformed ?? text}`);
  }

  marker(id: string, own: boolean): void {
    this.beats.push(id);
    if (own) this.ownBeats++;
    this.lines.push("beat");
  }

  entry(
    id: string,
    text: string,
    past: boolean,
    malformed?: Malformed,
    traceparent?: string,
  ): void {
    this.ids.push(id);
    this.traceparents.push(traceparent);
    this.lines.push(`${past ? "past" : "entry"} ${malformed ?? text}`);
  }

  gap(source: Source, id?: string): void {
    if (source === "stream") this.gapId = id;
    this.lines.push(`gap ${source}`);
  }

  historyLoaded(id: string): void {
    this.filledWith = id;
    this.lines.push("filled");
  }

  disconnect({ recipients, keyHashes }: DisconnectOrder): void {
    this.lines.push(`disconnect ${recipients} ${keyHashes}`);
  }
  ready(): undefined {}

  /** The lines without beats and `filled`, which come when they come. */
  get news(): string[] {
    return this.lines.filter((line) => line !== "beat" && line !== "filled");
  }

  /** Waits until `line` was written down. */
  async heard(line: string, timeoutMs?: number): Promise<void> {
    await waitFor(`the bus to say: ${line}`, () => this.lines.includes(line), timeoutMs);
  }
}
