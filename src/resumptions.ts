import { type Event, gapEvent, welcomeEvent } from "./core/event.ts";
import type { Connection } from "./core/connection.ts";
import type { History } from "./core/history.ts";
import { parseCursor, type Position } from "./core/position.ts";
import type { Replay } from "./core/replay.ts";

/** How long a client whose cursor is ahead of this node waits for it to get there, in milliseconds. */
const PATIENCE_MS = 10_000;
/** How often it is looked whether it has, in milliseconds. */
const LOOK_MS = 50;
/** Own beats heard since a client came, with which all that was published before it came is heard. */
const BEATS = 2;

interface Waiting {
  readonly connection: Connection;
  readonly position: Position;
  readonly until: number;
  /** The own beats that must still be heard before an unknown beat is given up. */
  beats: number;
}

/** Lets clients go on from the cursor that they bring: told what they missed, or that it is lost. */
export class Resumptions implements Disposable {
  readonly #history: History;
  readonly #askBeat: () => void;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param askBeat has a beat of this node sent soon */
  constructor(history: History, askBeat: () => void) {
    this.#history = history;
    this.#askBeat = askBeat;
  }

  /** Welcomes `connection`, which brought `cursor`, as soon as it is known what can be done for it. */
  resume(connection: Connection, cursor: string): void {
    const position = parseCursor(cursor);
    if (position === undefined) return this.#lose(connection);
    const until = performance.now() + PATIENCE_MS;
    const waiting = { connection, position, until, beats: BEATS };
    if (this.#try(waiting)) return;
    this.#waiting.push(waiting);
    this.#askBeat();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** A beat was heard. */
  beat(own: boolean): void {
    if (this.#waiting.length === 0) return;
    if (own) {
      for (const waiting of this.#waiting) waiting.beats--;
    }
    this.#look();
    // The bus is busy with this beat until it returns, and would take that for the one asked for.
    if (own && this.#waiting.length > 0) queueMicrotask(this.#askBeat);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#waiting = this.#waiting.filter((waiting) => !this.#try(waiting));
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Returns whether `waiting` need not wait any more. */
  #try({ connection, position, until, beats }: Waiting): boolean {
    if (connection.ended) return true;
    const resumption = this.#history.resume(position, connection.recipients);
    if (resumption.state === "known") {
      connection.push(welcomeEvent(position, true));
      connection.replay(tellingGaps(resumption.replay));
      return true;
    }
    const hopeless = resumption.state === "lost" || performance.now() >= until ||
      (resumption.state === "unknown beat" && beats <= 0);
    if (hopeless) this.#lose(connection);
    return hopeless;
  }

  #lose(connection: Connection): void {
    connection.push(welcomeEvent(this.#history.position, false));
    connection.attach();
  }
}

/** Puts `gap` where the replay was overtaken. */
function tellingGaps(replay: Replay): { read(maxSize: number): readonly Event[]; done: boolean } {
  return {
    read(maxSize) {
      const events = replay.read(maxSize);
      const { overtaken } = replay;
      return overtaken === undefined ? events : [gapEvent(overtaken), ...events];
    },
    get done() {
      return replay.done;
    },
  };
}
