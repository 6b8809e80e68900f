/**
 * One connection for all pages of an origin: what `shared` loads.
 *
 * Web Locks elect the page that connects, the leader. It hands on what it hears over a
 * BroadcastChannel, and hears it there itself, behind a second end of the same channel. So all pages,
 * the leader too, see the events of all leaders, former ones included, in one order, and agree about
 * which came before a change of leaders: what a former leader sends behind it carries a lower term
 * and is ignored by every page alike.
 *
 * @module
 */

/** @import { KeywireState, KeywireTransport } from "./keywire.d.ts" */

/**
 * The part of the client that is needed here, and what it delivers (`ClientEvent` in keywire.js).
 * @typedef {{
 *   who: boolean | string,
 *   signal: AbortSignal,
 *   take: (event: any) => void,
 *   cursor: () => string | undefined,
 *   resume: (cursor: string | undefined) => void,
 * }} SharedClient
 */

/**
 * A place in the order of events: the leader's term, and the number of its events so far.
 * @typedef {{ term: number, n: number, leader: string, cursor?: string | undefined }} Position
 */

/**
 * What a leader says of itself, with each event and when asked.
 * @typedef {Position & {
 *   kind: "event" | "here",
 *   state: KeywireState,
 *   transport: KeywireTransport,
 *   event?: any,
 * }} LeaderMessage
 */

/**
 * - `ask`: is there a leader? It answers `here`.
 * - `elect`: a page is about to lead. All answer with a `report` of where they stand.
 * - `lead`: a page leads from now on, behind `base`.
 * @typedef {(
 *   | { kind: "ask" | "elect" }
 *   | Position & { kind: "report" }
 *   | { kind: "lead", term: number, leader: string, base: Position }
 *   | LeaderMessage
 * )} Message
 */

/**
 * The part of Web Locks that is used; not every runtime's types have it.
 * @typedef {{ signal?: AbortSignal, steal?: boolean }} LockOptions
 * @typedef {{
 *   request(name: string, options: LockOptions, held: () => unknown): Promise<unknown>,
 *   query(): Promise<{ pending?: { name?: string }[] }>,
 * }} Locks
 */

/** How long a page that is about to lead waits for reports. */
const REPORTS_MS = 200;
/** How often a page looks whether its leader lives. */
const WATCH_MS = 1_000;
/** A leader that was silent for so long is asked. */
const QUIET_MS = 2_000;
/** A leader that was silent for so long, and asked in vain, is replaced. */
const SILENT_MS = 5_000;
/** So many questions in a row must have stayed without an answer: a page that slept asked none. */
const ASKED = 3;

const SOURCES = ["channel", "stream"];

const NOWHERE = { term: 0, n: 0, leader: "" };

/**
 * Shares the connection of `client`, where the page may use what that takes: a sandboxed frame may
 * not, and none may where the browser blocks storage.
 * @param {string} url
 * @param {SharedClient} client
 */
export async function share(url, client) {
  try {
    await navigator.locks.query();
    new BroadcastChannel("keywire").close();
  } catch {
    return undefined;
  }
  return new SharedConnection(url, client);
}

class SharedConnection {
  #url;
  #client;
  /** @type {Locks} */
  #locks = /** @type {any} */ (navigator).locks;
  #id = crypto.randomUUID();
  /** The name of the lock and of the channel. */
  #name = "";
  /** @type {BroadcastChannel | undefined} */
  #sender;
  /** @type {BroadcastChannel | undefined} */
  #receiver;
  /** Where this page stands, once it hears (`#joined`). @type {Position} */
  #at = NOWHERE;
  #joined = false;
  /** When a leader last said something, and how often it was asked in vain since. */
  #heardAt = 0;
  #asked = 0;
  /** Lives while this page leads. */
  #leading = aborted();
  /** What this leader sent last. @type {{ n: number, state: KeywireState,
   *   transport: KeywireTransport, cursor: string | undefined }} */
  #sent = { n: 0, state: "connecting", transport: "websocket", cursor: undefined };
  /** The furthest report of an election. @type {Position} */
  #best = NOWHERE;
  #release = () => {};
  #onLead = () => {};

  /**
   * @param {string} url
   * @param {SharedClient} client
   */
  constructor(url, client) {
    this.#url = url;
    this.#client = client;
    client.signal.addEventListener("abort", () => this.#leave());
  }

  /**
   * Waits until this page leads the pages that share the connection; meanwhile it hears what their
   * leader hears.
   *
   * @param {string} [key] joins the pages that present this key, where they give no name
   * @returns {Promise<AbortSignal>} aborted when another page takes the connection over
   */
  async lead(key) {
    const { who, signal } = this.#client;
    const group = key === undefined ? `as ${who}` : `key ${await hash(key)}`;
    if (signal.aborted) return signal;
    const name = `keywire ${this.#url} ${group}`;
    if (name !== this.#name) this.#join(name);
    while (!signal.aborted && this.#leading.signal.aborted) {
      const stolen = await this.#waitForLock();
      if (!signal.aborted) await this.#elect(stolen);
    }
    return this.#leading.signal;
  }

  /**
   * Hands an event of this page's connection on to all pages. One that does not lead has nothing to
   * say but to itself, and that only before it heard of others.
   * @param {any} event
   */
  post(event) {
    if (this.#leading.signal.aborted) {
      if (!this.#joined) this.#client.take(event);
      return;
    }
    const sent = this.#sent;
    sent.n++;
    if (event.transport !== undefined) {
      sent.transport = event.transport;
      sent.state = event.type === "welcome" ? "open" : event.state;
    }
    if (event.type !== "welcome" || event.recovered !== true) {
      sent.cursor = event.cursor ?? sent.cursor;
    }
    this.#sayHere("event", event);
  }

  /** @param {string} name */
  #join(name) {
    this.#leave();
    this.#name = name;
    this.#at = NOWHERE;
    this.#joined = false;
    this.#sender = new BroadcastChannel(name);
    this.#receiver = new BroadcastChannel(name);
    this.#receiver.onmessage = ({ data }) => this.#hear(data);
    this.#send({ kind: "ask" });
  }

  #leave() {
    this.#stepDown();
    this.#sender?.close();
    this.#receiver?.close();
    this.#sender = this.#receiver = undefined;
    this.#name = "";
  }

  #stepDown() {
    this.#leading.abort();
    this.#release();
    this.#onLead();
  }

  /**
   * Waits for the lock, and takes it from a leader that is silent.
   * @returns {Promise<boolean>} whether it was taken
   */
  async #waitForLock() {
    const { signal } = this.#client;
    const waiting = new AbortController();
    const stop = () => waiting.abort();
    signal.addEventListener("abort", stop);
    this.#heardAt = Date.now();
    this.#asked = 0;
    const watch = setInterval(() => {
      const silentMs = Date.now() - this.#heardAt;
      if (silentMs >= SILENT_MS && this.#asked >= ASKED) return stop();
      if (silentMs < QUIET_MS) return;
      this.#asked++;
      this.#send({ kind: "ask" });
    }, WATCH_MS);
    const held = await this.#hold({ signal: waiting.signal });
    clearInterval(watch);
    signal.removeEventListener("abort", stop);
    if (held || signal.aborted) return false;
    return await this.#hold({ steal: true });
  }

  /**
   * @param {LockOptions} options
   * @returns {Promise<boolean>} whether the lock is held now, until this page steps down
   */
  #hold(options) {
    return new Promise((resolve) => {
      const leading = new AbortController();
      this.#locks.request(this.#name, options, () => {
        if (this.#client.signal.aborted) return resolve(false);
        const over = new Promise((release) => this.#release = () => release(undefined));
        this.#leading = leading;
        resolve(true);
        return over;
      }).catch(() => {
        // It was given up waiting for, or another page took it.
        if (this.#leading === leading) this.#stepDown();
        resolve(false);
      });
    });
  }

  /**
   * Begins to lead behind what any page has heard.
   * @param {boolean} stolen whether the former leader may live
   */
  async #elect(stolen) {
    const { signal } = this.#leading;
    this.#best = NOWHERE;
    const { pending = [] } = await this.#locks.query();
    if (signal.aborted) return;
    if (stolen || pending.some(({ name }) => name === this.#name)) {
      this.#send({ kind: "elect" });
      await new Promise((resolve) => setTimeout(resolve, REPORTS_MS));
    }
    if (signal.aborted) return;
    const led = new Promise((resolve) => this.#onLead = () => resolve(undefined));
    this.#sayLead();
    await led;
  }

  #sayLead() {
    const base = isBehind(this.#at, this.#best) ? this.#best : this.#at;
    this.#send({ kind: "lead", term: base.term + 1, leader: this.#id, base });
  }

  /** @param {Message} message */
  #hear(message) {
    const leads = !this.#leading.signal.aborted;
    if (message.kind === "ask") {
      if (leads && this.#at.leader === this.#id) this.#sayHere("here");
      return;
    }
    if (message.kind === "elect") {
      this.#alive();
      return this.#send({ ...this.#at, kind: "report", cursor: this.#client.cursor() });
    }
    if (message.kind === "report") {
      const { term, n, leader, cursor } = message;
      if (leads && isBehind(this.#best, message)) this.#best = { term, n, leader, cursor };
      return;
    }
    if (message.kind === "lead") return this.#hearLead(message);
    if (message.kind !== "event" && message.kind !== "here") return;
    // A former leader speaks of what the present one brings again.
    if (message.term < this.#at.term) return;
    this.#alive();
    const { term, n, leader, event } = message;
    if (term > this.#at.term || leader !== this.#at.leader) {
      if (term === this.#at.term && this.#joined) return; // it lost against another of that term
      this.#adopt(message);
    } else if (event !== undefined && n > this.#at.n + 1 || event === undefined && n > this.#at.n) {
      this.#adopt(message);
    }
    if (event === undefined || n <= this.#at.n) return;
    this.#at = { term, n, leader };
    this.#client.take(event);
  }

  /**
   * Goes on behind a message that is not the next one: the first that this page hears, or the first
   * after some that did not reach it.
   * @param {LeaderMessage} message
   */
  #adopt({ term, n, leader, state, transport, cursor, event }) {
    const { take } = this.#client;
    const had = this.#client.cursor();
    this.#at = { term, n: event === undefined ? n : n - 1, leader };
    const joined = this.#joined;
    this.#joined = true;
    if (state !== "open") take({ type: "state", state, transport });
    else if (event?.type !== "welcome") {
      // Without a cursor it missed nothing: it listens from here.
      const missed = had === undefined ? {} : { recovered: false, lost: SOURCES };
      take({ type: "welcome", transport, cursor, ...missed });
    } else if (joined || had !== undefined) {
      take({ type: "gap", cursor: had, lost: SOURCES });
    }
  }

  /** @param {Message & { kind: "lead" }} message */
  #hearLead({ term, leader, base }) {
    const isMine = leader === this.#id;
    if (term <= this.#at.term) {
      if (isMine && !this.#leading.signal.aborted) this.#sayLead(); // another was faster
      return;
    }
    this.#alive();
    const missed = isBehind(this.#at, base);
    if (!isMine && !this.#leading.signal.aborted) this.#stepDown();
    this.#at = { term, n: 0, leader };
    const had = this.#client.cursor();
    if (isMine) {
      this.#sent = { n: 0, state: "connecting", transport: "websocket", cursor: undefined };
      this.#client.resume(missed ? base.cursor : had);
      this.#sent.cursor = this.#client.cursor();
    }
    if (missed && (this.#joined || had !== undefined)) {
      this.#client.take({ type: "gap", cursor: had, lost: SOURCES });
    }
    this.#joined = true;
    if (isMine) this.#onLead();
  }

  #alive() {
    this.#heardAt = Date.now();
    this.#asked = 0;
  }

  /**
   * @param {"event" | "here"} kind
   * @param {any} [event]
   */
  #sayHere(kind, event) {
    const { term } = this.#at;
    this.#send({ kind, term, leader: this.#id, ...this.#sent, event });
  }

  /** @param {Message} message */
  #send(message) {
    this.#sender?.postMessage(message);
  }
}

/**
 * @param {Position} position
 * @param {Position} other
 */
function isBehind(position, other) {
  return position.term < other.term || position.term === other.term && position.n < other.n;
}

/** @param {string} text */
async function hash(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A controller whose signal is aborted. */
function aborted() {
  const controller = new AbortController();
  controller.abort();
  return controller;
}
