import type { BroughtPosition } from "../core/position.ts";
import { BusUnavailable } from "./port.ts";
import type { Ask } from "./redis_repeat.ts";

/** What {@link RedisCursor} needs. */
export interface RedisCursorOptions {
  /** Sends one command, once; rejects with {@link BusUnavailable}. */
  readonly ask: Ask;
  /** The name of the stream; undefined: it is off. */
  readonly stream: string | undefined;
  /** Where markers name places for all nodes: how many this node has sent, and how to send one more. */
  readonly markers: { readonly sent: () => number; readonly probe: () => void } | undefined;
}

const DEADLINE_MS = 2_000;
const SILENT = "TIMEOUT: the channel did not bring a marker back";

/** KEYS: the stream. Answers the last id that it has given, also where that entry is gone. */
const LAST_ID = `if redis.call('EXISTS', KEYS[1]) == 0 then return '0-0' end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for at = 1, #info, 2 do
  if info[at] == 'last-generated-id' then return info[at + 1] end
end`;

interface Question {
  /** The last marker that was sent before the question. */
  readonly after: number;
  readonly answer: (marker: string) => void;
  readonly giveUp: () => void;
}

/**
 * Says where the sources are by now. The stream's place is asked of Redis, not of the reader, which
 * may trail; the channel's is a marker of this node's that was sent after the question.
 */
export class RedisCursor implements Disposable {
  readonly #options: RedisCursorOptions;
  #questions: Question[] = [];

  constructor(options: RedisCursorOptions) {
    this.#options = options;
  }

  /** As `Bus.cursor`. */
  async now(): Promise<BroughtPosition> {
    const [stream, marker] = await Promise.all([this.#lastId(), this.#marker()]);
    return { stream, marker, since: 0 };
  }

  /** A marker of this node's was heard. */
  onOwnMarker(id: string): void {
    if (this.#questions.length === 0) return;
    const number = parseInt(id.slice(id.lastIndexOf("-") + 1), 36);
    const [open, answered] = [[], []] as [Question[], Question[]];
    for (const question of this.#questions) {
      (number > question.after ? answered : open).push(question);
    }
    this.#questions = open;
    for (const { answer } of answered) answer(id);
    // The bus is busy with this marker until it returns.
    if (this.#questions.length > 0) queueMicrotask(() => this.#options.markers?.probe());
  }

  [Symbol.dispose](): void {
    for (const { giveUp } of this.#questions) giveUp();
  }

  async #lastId(): Promise<string> {
    const { ask, stream } = this.#options;
    return stream === undefined ? "0-0" : await ask("eval", LAST_ID, 1, stream) as string;
  }

  #marker(): Promise<string | undefined> {
    const { markers } = this.#options;
    if (markers === undefined) return Promise.resolve(undefined);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const question: Question = {
      after: markers.sent(),
      answer: resolve,
      giveUp: () => reject(new BusUnavailable("refused", SILENT)),
    };
    const timer = setTimeout(question.giveUp, DEADLINE_MS);
    this.#questions.push(question);
    markers.probe();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#questions = this.#questions.filter((each) => each !== question);
    });
  }
}
