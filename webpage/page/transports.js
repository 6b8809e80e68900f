/**
 * The three ways to hear a gateway that need no client library, each with the events of `Keywire`:
 * `message` ({data, text}), `heartbeat`, `welcome` ({recovered}), `gap` ({sources}), `state` ({state}) and
 * `close` ({reason, retry}, and `code` or `status`). The page shows them beside the client in
 * keywire.js, which is the one to use.
 */
import { askWhy } from "./ask_why.js";

/** How often a client asks for a sign of life, as bullet.js does. */
const HEARTBEAT_MS = 20_000;
/** The longest wait before another try. */
const MAX_DELAY_MS = 10_000;
/** How long a first poll may go unanswered before a heartbeat is sent after it. */
const EARLY_MS = 500;
/** The close code after which only another key helps. */
const REVOKED = 4403;

/** What the three have in common: their events, their waits and their end. */
class Transport extends EventTarget {
  /** The gateway's address by HTTP, ending in a slash. */
  gateway;
  key;
  #timer;
  #failures = 0;
  #again = false;
  #over = false;

  constructor(gateway, key) {
    super();
    this.gateway = gateway;
    this.key = key;
    queueMicrotask(() => this.#over || this.open()); // the caller's listeners come first
  }

  get over() {
    return this.#over;
  }

  /** Where to connect: `path` with the key the example's way, and `more` behind it. */
  url(path, more = "") {
    return new URL(`${path}?${encodeURIComponent(this.key)}${more}`, this.gateway);
  }

  tell(type, fields = {}) {
    if (!this.#over) this.dispatchEvent(Object.assign(new Event(type), fields));
  }

  /** A connection is open; as in `Keywire`, a gap follows where something may have been lost. */
  tellWelcome(recovered, sources = []) {
    this.tell("welcome", { recovered });
    if (recovered === false) this.tell("gap", { sources });
  }

  tellMessage(text) {
    this.tell("message", { text, data: JSON.parse(text) });
  }

  tellOpen() {
    this.#failures = 0;
    this.tell("state", { state: "open" });
  }

  /** It is open, by a protocol without a cursor: nothing tells what was missed since the last time. */
  tellOpenAnew() {
    this.tellOpen();
    this.tellWelcome(this.#again ? false : undefined);
    this.#again = true;
  }

  /** Tries again later, with a jittered delay that grows from failure to failure. */
  retry(afterMs = 0) {
    if (this.#over) return;
    const delay = Math.min(MAX_DELAY_MS, 500 * 2 ** this.#failures++) *
      (0.5 + Math.random() / 2);
    this.tell("state", { state: "waiting" });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), Math.max(delay, afterMs));
  }

  /** Asks why there is no connection; tries again where that may help, and gives up elsewhere. */
  async explain() {
    const why = await askWhy(this.gateway, this.key);
    if (this.#over) return;
    this.tell("close", why);
    if (why.retry) this.retry(why.retryAfterMs);
    else this.#end();
  }

  close() {
    if (this.#over) return;
    this.#end();
  }

  #end() {
    this.tell("state", { state: "closed" });
    this.#over = true;
    clearTimeout(this.#timer);
    this.abandon();
  }
}

/** The protocol of the original example: a text frame a message, `ping` and `heartbeat message`. */
export class PlainSocket extends Transport {
  #socket;
  #beat;

  open() {
    this.tell("state", { state: "connecting" });
    const url = this.url("websocket");
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.#socket = new WebSocket(url);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.tellOpenAnew();
      socket.send("ping");
      this.#beat = setInterval(() => socket.send("ping"), HEARTBEAT_MS);
    };
    socket.onmessage = ({ data }) => {
      if (data === "heartbeat message") this.tell("heartbeat");
      else this.tellMessage(data);
    };
    socket.onclose = ({ code, reason }) => {
      clearInterval(this.#beat);
      if (this.over) return;
      if (!opened) return void this.explain();
      this.tell("close", { code, reason, retry: code !== REVOKED });
      if (code === REVOKED) this.close();
      else this.retry();
    };
  }

  /** Ends the connection without a word, as a lost network does. */
  cut() {
    this.#socket?.close();
  }

  abandon() {
    clearInterval(this.#beat);
    this.#socket?.close();
  }
}

/** The browser's own EventSource, which resumes by itself with `Last-Event-ID`. */
export class NativeEvents extends Transport {
  #source;
  #cursor = "";

  open() {
    this.tell("state", { state: "connecting" });
    const source = this.#source = new EventSource(
      this.url("events", this.#cursor && `&after=${encodeURIComponent(this.#cursor)}`),
    );
    source.onopen = () => this.tellOpen();
    source.onmessage = ({ data, lastEventId }) => {
      this.#cursor = lastEventId;
      this.tellMessage(data);
    };
    source.addEventListener("welcome", ({ data, lastEventId }) => {
      this.#cursor = lastEventId;
      const { recovered, lost } = parse(data);
      this.tellWelcome(recovered, lost);
    });
    source.addEventListener("gap", ({ data, lastEventId }) => {
      this.#cursor = lastEventId;
      const { source: lost } = parse(data);
      this.tell("gap", { sources: lost === undefined ? [] : [lost] });
    });
    source.addEventListener("heartbeat", ({ lastEventId }) => {
      this.#cursor = lastEventId;
      this.tell("heartbeat");
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) this.explain();
      else this.tell("state", { state: "waiting" });
    };
  }

  /** Ends the connection without a word, as a lost network does. */
  cut() {
    this.#source?.close();
    this.retry();
  }

  abandon() {
    this.#source?.close();
  }
}

/** Long polling as bullet.js does it: one message a response, and a number that counts the polls. */
export class Polling extends Transport {
  #poll;
  #beat;
  #count = Date.now();
  #opened = false;

  async open() {
    this.tell("state", { state: "connecting" });
    this.#opened = false;
    this.#poll = new AbortController();
    const { signal } = this.#poll;
    // A new connection's first poll is answered at once. One that finds a connection from before
    // waits for a message instead; then it is the heartbeat that is answered.
    const early = setTimeout(() => this.#heartbeat(signal), EARLY_MS);
    this.#beat = setInterval(() => this.#heartbeat(signal), HEARTBEAT_MS);
    try {
      for (;;) {
        const response = await this.#ask("GET", { signal });
        if (!response.ok) return void await this.explain();
        const text = await response.text();
        if (!this.#opened) await this.#heartbeat(signal);
        if (text !== "") this.tellMessage(text);
      }
    } catch {
      if (this.#opened || signal.aborted) this.retry();
      else await this.explain();
    } finally {
      clearTimeout(early);
      clearInterval(this.#beat);
    }
  }

  /** Ends the connection without a word, as a lost network does. */
  cut() {
    this.#poll?.abort();
  }

  abandon() {
    clearInterval(this.#beat);
    this.#poll?.abort();
  }

  async #heartbeat(signal) {
    try {
      const response = await this.#ask("POST", { body: "ping", signal });
      if (await response.text() !== "heartbeat message" || signal.aborted) {
        return;
      }
      if (!this.#opened) this.tellOpenAnew();
      this.#opened = true;
      this.tell("heartbeat");
    } catch {
      // The poll under way finds out by itself.
    }
  }

  #ask(method, init) {
    const more = method === "GET" ? `&_=${this.#count++}` : ""; // as jQuery, which counts no POST
    return fetch(this.url("websocket", more), {
      method,
      headers: { "X-Socket-Transport": "xhrPolling" },
      cache: "no-store",
      ...init,
    });
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
