/**
 * A client that asks just what bullet.js 0.4's xhrPolling transport asks, through jQuery: `_` counts
 * up by one with every GET, the first answer opens, one message comes a response, 100 ms between polls.
 */
export class BulletPolling implements Disposable {
  /** Every message, in order. */
  readonly messages: string[] = [];
  /** How many polls were answered. */
  polls = 0;
  /** Whether a poll after the opening one is under way. */
  polling = false;
  /** Resolves with the opening answer. */
  readonly opened: Promise<void>;
  /** The status that ended it. */
  readonly failed: Promise<number>;
  readonly #url: string;
  readonly #pauseMs: number;
  readonly #headers: Record<string, string>;
  #count = Date.now();
  #open!: () => void;
  #fail!: (status: number) => void;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    url: string,
    { origin, pauseMs = 100 }: { origin?: string; pauseMs?: number } = {},
  ) {
    this.#url = url;
    this.#pauseMs = pauseMs;
    this.#headers = {
      "X-Socket-Transport": "xhrPolling",
      ...(origin === undefined ? {} : { Origin: origin }),
    };
    this.opened = new Promise((resolve) => this.#open = resolve);
    this.failed = new Promise((resolve) => this.#fail = resolve);
    this.#poll();
  }

  /** Posts `text`; resolves with the answer. */
  async send(text: string): Promise<string> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: {
        ...this.#headers,
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
      },
      body: text,
    });
    return await response.text();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #poll(): Promise<void> {
    this.polling = this.polls > 0;
    try {
      const response = await fetch(`${this.#url}&_=${this.#count++}`, {
        headers: this.#headers,
        signal: this.#abort.signal,
      });
      const text = await response.text();
      if (!response.ok) return this.#fail(response.status);
      this.polls++;
      this.polling = false;
      this.#open();
      if (text !== "") this.messages.push(text);
      this.#timer = setTimeout(() => this.#poll(), this.#pauseMs);
    } catch {
      this.#fail(0);
    }
  }
}
