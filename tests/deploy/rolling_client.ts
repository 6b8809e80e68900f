import { Keywire } from "../../webpage/keywire.js";

/** Messages with serial numbers, as one client hears them. */
export class Series {
  /** How many different messages it heard. */
  heard = 0;
  /** The serial number of the newest message; -1 before the first. */
  reached = -1;
  /** Messages that came twice or behind a later one. */
  misplaced = 0;

  /** Takes the next message. */
  take(serial: number): void {
    if (serial <= this.reached) {
      this.misplaced++;
      return;
    }
    this.reached = serial;
    this.heard++;
  }
}

/** The client that browsers use, with its default settings but for gaps, which it tells at once. */
export class RollingClient implements Disposable {
  /** Messages of the stream, whose member `n` is their number. */
  readonly stream = new Series();
  /** Messages of the channel, whose member `c` is their number. */
  readonly channel = new Series();
  /** How often it was connected. */
  welcomes = 0;
  /** How often it was told that something may be lost. */
  gaps = 0;
  /** Attempts that an HTTP status answered. */
  refusals = 0;
  /** Whether it will not come back. */
  hasGivenUp = false;
  /** The longest time without a connection, in ms. */
  longestAwayMs = 0;
  /** Each connection and each end of one: what it was, and when, by `performance.now()`. */
  readonly story: { readonly what: string; readonly at: number }[] = [];
  /** When it was connected last, by `performance.now()`. */
  lastWelcomeAt = 0;
  readonly #keywire: Keywire;
  #awaySince: number | undefined;

  constructor(url: string, options: { key: string; transport: "websocket" | "sse" }) {
    const keywire = this.#keywire = new Keywire(url, { ...options, gapJitterMs: 0 });
    keywire.addEventListener("message", ({ data }) => {
      if ("c" in data) this.channel.take(data.c as number);
      else this.stream.take(data.n as number);
    });
    keywire.addEventListener("gap", () => this.gaps++);
    keywire.addEventListener("welcome", () => {
      this.welcomes++;
      this.story.push({ what: "welcome", at: performance.now() });
      this.lastWelcomeAt = performance.now();
      if (this.#awaySince === undefined) return;
      this.longestAwayMs = Math.max(this.longestAwayMs, this.lastWelcomeAt - this.#awaySince);
      this.#awaySince = undefined;
    });
    keywire.addEventListener("close", ({ code, reason, retry }) => {
      this.story.push({ what: `${code} ${reason}`, at: performance.now() });
      this.#awaySince ??= performance.now();
      if (code >= 400 && code < 600) this.refusals++;
      if (!retry) this.hasGivenUp = true;
    });
  }

  /** Whether it is connected, for all that it knows. */
  get isOpen(): boolean {
    return this.#keywire.state === "open";
  }

  /** Forgets what happened while it connected for the first time; messages count from the first. */
  beginAccount(): void {
    this.refusals =
      this.gaps =
      this.longestAwayMs =
      this.welcomes =
        0;
  }

  [Symbol.dispose](): void {
    this.#keywire.close();
  }
}
