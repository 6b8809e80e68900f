// @ts-check
/// <reference lib="esnext.disposable" preserve="true" />
// @ts-self-types="./keywire.d.ts"

/**
 * The client of Keywire: one module without dependencies, for browsers, Deno and Node 20 or later.
 *
 * It connects by WebSocket, and by server-sent events where WebSockets do not get through; it comes
 * back by itself after every interruption and resumes where it was, so each message arrives once.
 *
 * ```js
 * import { Keywire } from "keywire";
 *
 * const keywire = new Keywire("wss://push.example.com", { key: "the session's key" });
 * keywire.addEventListener("message", (event) => show(event.data));
 * keywire.addEventListener("gap", () => fetchEverythingAnew());
 * ```
 *
 * @module
 */

/**
 * `offline`: the browser says that there is no network. `waiting`: for the next attempt. `closed`:
 * for good, by `close()` or because coming back is no use.
 * @typedef {"connecting" | "open" | "waiting" | "offline" | "closed"} KeywireState
 */

/** @typedef {"websocket" | "sse"} KeywireTransport */

/**
 * A key, or a function that fetches one. It is called before every attempt; `refused` says that the
 * key it gave last is not accepted (any more). Without another one then, or with none at all (`""`,
 * `null`, `undefined`), the client closes. Where it throws, it is asked again later.
 * @typedef {(why: { refused: boolean }) =>
 *   string | null | undefined | Promise<string | null | undefined>} KeywireKey
 */

/**
 * @typedef {object} KeywireOptions
 * @property {string | KeywireKey} key the secret that this client presents; it appears in no URL
 * @property {"auto" | KeywireTransport} [transport] `auto` (the default) prefers WebSocket
 * @property {string} [cursor] where an earlier client's `cursor` stood: resumes from there
 * @property {new (url: string, protocols: string[]) => unknown} [WebSocket] for runtimes without
 *   one of their own, such as Node 20 (`ws` fits); without any, `auto` means `sse`
 * @property {number} [minDelayMs] the first wait before coming back is random below this (500)
 * @property {number} [maxDelayMs] it doubles with each failure, up to this (20,000)
 * @property {number} [pingMs] how often to ask whether the connection lives (15,000)
 * @property {number} [dialMs] how long the server may take to answer, and then to welcome (15,000)
 * @property {number} [upgradeMs] after the fallback to `sse`, when to try WebSocket again (180,000)
 */

/**
 * The members that each event has besides those of `Event`.
 *
 * - `message`: `data` is the message.
 * - `welcome`: a connection is open. `recovered` is true when nothing was lost since the last one,
 *   false when something may have been, absent at first.
 * - `gap`: messages may have been lost; the application should fetch its state anew. It also follows
 *   a `welcome` whose `recovered` is false.
 * - `close`: a connection, or an attempt at one, ended. `code` is that of the WebSocket (1006: it
 *   broke, 1005: the event stream ended), or the HTTP status of a refusal, or 0 for want of a key.
 *   `retryMs` says when it comes back; without `retry` it does not.
 * - `state`: `state` or `transport` changed.
 * @typedef {object} KeywireEvents
 * @property {Event & { data: Record<string, unknown>, cursor: string | undefined }} message
 * @property {Event & { recovered: boolean | undefined, cursor: string | undefined }} welcome
 * @property {Event & { cursor: string | undefined }} gap
 * @property {Event & { code: number, reason: string, retry: boolean, retryMs?: number }} close
 * @property {Event & { state: KeywireState, transport: KeywireTransport }} state
 */

/**
 * @typedef {{
 *   addEventListener<Type extends keyof KeywireEvents>(
 *     type: Type,
 *     listener: (event: KeywireEvents[Type]) => void,
 *     options?: boolean | AddEventListenerOptions,
 *   ): void,
 *   removeEventListener<Type extends keyof KeywireEvents>(
 *     type: Type,
 *     listener: (event: KeywireEvents[Type]) => void,
 *     options?: boolean | EventListenerOptions,
 *   ): void,
 * } & EventTarget} KeywireTarget
 */

/**
 * What a connection hears: the events of `keywire.v1`, whose names those of an event stream get too.
 * @internal
 * @typedef {{
 *   type: string,
 *   cursor?: unknown,
 *   recovered?: unknown,
 *   message?: unknown,
 *   retryMs?: unknown,
 * }} Heard
 */

/**
 * How a connection, or an attempt at one, ended.
 * @internal
 * @typedef {{
 *   code: number,
 *   reason: string,
 *   silent?: boolean,
 *   retryMs?: number,
 *   atOnce?: boolean,
 * }} End
 */

/**
 * What a connection is made of.
 * @internal
 * @typedef {{
 *   key: string,
 *   cursor: string | undefined,
 *   line: AbortController,
 *   heard: (event: Heard) => void,
 *   pingMs: number,
 *   dialMs: number,
 * }} Line
 */

/**
 * The part of WebSocket that is used: `on…` is what every implementation has.
 * @internal
 * @typedef {{
 *   protocol: string,
 *   onopen: (() => void) | null,
 *   onmessage: ((event: { data: unknown }) => void) | null,
 *   onclose: ((event: { code: number, reason: string }) => void) | null,
 *   onerror: (() => void) | null,
 *   send(text: string): void,
 *   close(code?: number): void,
 * }} Socket
 */

/** @typedef {new (url: string, protocols: string[]) => Socket} SocketClass */

const PROTOCOL = "keywire.v1";

/** The server does not accept the key: these codes allow coming back with another one only. */
const REFUSED = [401, 403, 4403];

/** Close codes by which the gateway itself speaks; any other may come from something between. */
const SPOKEN = [1001, 1012, 4403, 4408];

/** So many dials that did not get through, while HTTP did, mean that WebSockets do not. */
const BLOCKED_AFTER = 2;

/** How long events may wait for the outcome of a trial: who swallows WebSockets says none. */
const TRIAL_MS = 3_000;

/** The longest that `setTimeout` can wait. */
const FOREVER = 2_147_483_647;

const Target = /** @type {new () => KeywireTarget} */ (EventTarget);

/**
 * A connection to Keywire that lasts until {@link Keywire.close}.
 *
 * @example
 * ```js
 * const keywire = new Keywire("/", {
 *   key: () => fetch("/session/key").then((response) => response.text()),
 * });
 * keywire.addEventListener("state", ({ state }) => indicator.className = state);
 * ```
 */
export class Keywire extends Target {
  /** @type {Required<Omit<KeywireOptions, "cursor" | "WebSocket">>} */
  #options;
  /** @type {KeywireOptions["WebSocket"]} */
  #WebSocket;
  /** @type {{ websocket: string, sse: string }} */
  #urls;
  /** @type {KeywireState} */
  #state = "connecting";
  /** @type {KeywireTransport} */
  #transport;
  /** @type {KeywireTransport} */
  #saidTransport;
  /** @type {string | undefined} */
  #cursor;
  #welcomedAt = 0;
  #blocked = 0;
  #upgradeAt = 0;
  #stop = new AbortController();
  /** Fires `nudge` when there is reason to believe that the network is back. */
  #nudges = new EventTarget();

  /**
   * Connects. Nothing is fired before the caller had time to add listeners.
   *
   * @param {string | URL} url where Keywire answers: `wss:`, `ws:`, `https:` or `http:`, with or
   *   without the path `/websocket`; in browsers relative to the page
   * @param {KeywireOptions} options
   * @throws {TypeError} when the URL or an option makes no sense
   */
  constructor(url, options) {
    super();
    const { key, transport = "auto", cursor } = options;
    if (typeof key !== "string" && typeof key !== "function") {
      throw new TypeError("Cannot connect as `key` must be a string or a function");
    }
    if (!["auto", "websocket", "sse"].includes(transport)) {
      throw new TypeError(
        `Cannot connect as \`transport\` must be auto, websocket or sse: ${transport}`,
      );
    }
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (transport === "websocket" && this.#WebSocket === undefined) {
      throw new TypeError("Cannot connect as there is no WebSocket here: pass one as an option");
    }
    this.#urls = addresses(url);
    this.#cursor = cursor;
    this.#transport = transport === "sse" || this.#WebSocket === undefined ? "sse" : "websocket";
    this.#saidTransport = this.#transport;
    this.#options = {
      key,
      transport,
      minDelayMs: options.minDelayMs ?? 500,
      maxDelayMs: options.maxDelayMs ?? 20_000,
      pingMs: options.pingMs ?? 15_000,
      dialMs: options.dialMs ?? 15_000,
      upgradeMs: options.upgradeMs ?? 180_000,
    };
    this.#watchNetwork();
    queueMicrotask(() => this.#run());
  }

  /** What the client is doing. */
  get state() {
    return this.#state;
  }

  /** The way in use, or being tried. */
  get transport() {
    return this.#transport;
  }

  /** The position behind the last event that was delivered, for a later client's `cursor`. */
  get cursor() {
    return this.#cursor;
  }

  /** Closes for good: frees timers and listeners, and fires nothing more than a last `state`. */
  close() {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#enter("closed");
  }

  /** Calls {@link Keywire.close}. */
  [Symbol.dispose]() {
    this.close();
  }

  #watchNetwork() {
    const { signal } = this.#stop;
    const nudge = () => this.#nudges.dispatchEvent(new Event("nudge"));
    globalThis.addEventListener?.("online", () => {
      // It may be another network, which lets WebSockets through.
      this.#upgradeAt = 0;
      nudge();
    }, { signal });
    const { document } = /** @type {{ document?: EventTarget & { visibilityState: string } }} */ (
      globalThis
    );
    document?.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") nudge();
    }, { signal });
  }

  async #run() {
    const { key: source, minDelayMs, maxDelayMs } = this.#options;
    const { signal } = this.#stop;
    let attempt = 0;
    /** @type {{ key: string, end: End } | undefined} */
    let refused;
    while (!signal.aborted) {
      while (isOffline() && !signal.aborted) {
        this.#enter("offline");
        await this.#pause(FOREVER, true);
      }
      this.#enter("connecting");
      if (signal.aborted) return;
      const { key, failure } = await this.#askKey(refused !== undefined);
      if (signal.aborted) return;
      if (!key && !failure) return this.#giveUp({ code: 0, reason: "no key" });
      if (refused !== undefined && key === refused.key) return this.#giveUp(refused.end);
      this.#welcomedAt = 0;
      const end = failure ?? await this.#connect(key);
      if (signal.aborted) return;

      const welcomed = this.#welcomedAt !== 0;
      if (welcomed) refused = undefined;
      // A connection that breaks as soon as it stands is as good as a failed one.
      if (welcomed && Date.now() - this.#welcomedAt >= 10 * minDelayMs) attempt = 0;
      if (end.code === 400) return this.#giveUp(end);
      if (REFUSED.includes(end.code)) {
        if (typeof source === "string" || refused !== undefined) return this.#giveUp(end);
        refused = { key, end };
      }
      const jitterMs = Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** attempt);
      const retryMs = end.atOnce ? 0 : Math.round((end.retryMs ?? 0) + jitterMs);
      if (!end.atOnce) attempt++;
      this.#emit("close", { code: end.code, reason: end.reason, retry: true, retryMs });
      if (retryMs === 0) continue;
      this.#enter(isOffline() ? "offline" : "waiting");
      // What the server asked for holds, whatever the browser says about the network.
      await this.#pause(retryMs, end.retryMs === undefined);
    }
  }

  /**
   * The key, empty where there is none, or why it cannot be told now.
   * @param {boolean} refused
   * @returns {Promise<{ key: string, failure?: End }>}
   */
  async #askKey(refused) {
    const { key } = this.#options;
    try {
      return { key: typeof key === "function" ? String(await key({ refused }) ?? "") : key };
    } catch (error) {
      return { key: "", failure: { code: 0, reason: `no key: ${error}` } };
    }
  }

  /**
   * One connection, from the dial to its end.
   * @param {string} key
   * @returns {Promise<End>}
   */
  async #connect(key) {
    if (this.#transport === "sse") return await this.#connectEvents(key);
    const end = await this.#connectSocket(key, child(this.#stop.signal), (event) => {
      if (event.type === "welcome") this.#blocked = 0;
      this.#take(event);
    });
    if (this.#welcomedAt !== 0 || SPOKEN.includes(end.code)) return end;
    if (this.#stop.signal.aborted || isOffline()) return end;

    // A browser does not tell why an upgrade was refused, but does for a plain request.
    const answer = await listen(this.#urls.sse, this.#line(key, child(this.#stop.signal)), true);
    if (answer.code !== 200) return answer;
    if (this.#options.transport !== "auto") return end;
    this.#blocked += end.silent ? BLOCKED_AFTER : 1;
    if (this.#blocked < BLOCKED_AFTER) return end;
    this.#transport = "sse";
    this.#upgradeAt = this.#nextUpgrade();
    return { ...end, atOnce: true };
  }

  /**
   * @param {string} key
   * @param {AbortController} line
   * @param {(event: Heard) => void} heard
   */
  #connectSocket(key, line, heard) {
    const dialer = /** @type {SocketClass} */ (this.#WebSocket);
    const { websocket } = this.#urls;
    return dial(dialer, websocket, { ...this.#line(key, line), heard }, this.#nudges);
  }

  /**
   * An event stream, until its end or the end of the WebSocket that took its place.
   * @param {string} key
   * @returns {Promise<End>}
   */
  async #connectEvents(key) {
    const line = child(this.#stop.signal);
    /** @type {Promise<End> | undefined} */
    let successor;
    /** @type {AbortController | undefined} */
    let trial;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    // While a WebSocket is tried, events wait for the outcome: where it opens it brings them again.
    /** @type {Heard[]} */
    let held = [];
    const release = () => {
      trial = undefined;
      const events = held;
      held = [];
      for (const event of events) this.#take(event);
    };

    const plan = () => {
      clearTimeout(timer);
      timer = setTimeout(upgrade, Math.min(FOREVER, Math.max(0, this.#upgradeAt - Date.now())));
    };
    const upgrade = async () => {
      const mine = trial = child(this.#stop.signal);
      const limit = setTimeout(() => mine.abort(), TRIAL_MS);
      mine.signal.addEventListener("abort", () => clearTimeout(limit));
      let adopted = false;
      const end = this.#connectSocket(key, mine, (event) => {
        if (!adopted) {
          if (event.type !== "welcome" || event.recovered !== true) return mine.abort();
          clearTimeout(limit);
          adopted = true;
          successor = end;
          this.#transport = "websocket";
          this.#blocked = 0;
          line.abort();
        }
        this.#take(event);
      });
      await end;
      if (adopted || line.signal.aborted) return;
      this.#upgradeAt = this.#nextUpgrade();
      release();
      plan();
    };

    const mayUpgrade = this.#options.transport === "auto" && this.#WebSocket !== undefined;
    const end = await listen(this.#urls.sse, {
      ...this.#line(key, line),
      heard: (event) => {
        if (trial !== undefined) return void held.push(event);
        this.#take(event);
        if (event.type !== "welcome" || !mayUpgrade) return;
        plan();
        this.#nudges.addEventListener("nudge", () => trial ?? plan(), { signal: line.signal });
      },
    });
    clearTimeout(timer);
    if (successor !== undefined) return await successor;
    trial?.abort();
    release();
    // Where nothing gets through this way either, both are tried in turn.
    if (mayUpgrade && this.#welcomedAt === 0 && end.code === 1006) this.#transport = "websocket";
    return end;
  }

  #nextUpgrade() {
    return Date.now() + this.#options.upgradeMs * spread();
  }

  /**
   * @param {string} key
   * @param {AbortController} line
   * @returns {Line}
   */
  #line(key, line) {
    const { pingMs, dialMs } = this.#options;
    return { key, cursor: this.#cursor, line, heard: () => {}, pingMs, dialMs };
  }

  /**
   * Takes over one event of the living connection.
   * @param {Heard} event
   */
  #take({ type, cursor: given, recovered: told, message }) {
    if (this.#stop.signal.aborted) return;
    const cursor = typeof given === "string" ? given : this.#cursor;
    if (type === "welcome") {
      const recovered = typeof told === "boolean" ? told : undefined;
      // What was missed comes behind the welcome; until it is here, the old cursor is the true one.
      if (recovered !== true) this.#cursor = cursor;
      this.#welcomedAt = Date.now();
      this.#enter("open");
      this.#emit("welcome", { recovered, cursor });
      if (recovered === false) this.#emit("gap", { cursor });
      return;
    }
    this.#cursor = cursor;
    if (type === "message") this.#emit("message", { data: message, cursor });
    if (type === "gap") this.#emit("gap", { cursor });
  }

  /**
   * Closes because coming back is no use.
   * @param {End} end
   */
  #giveUp({ code, reason }) {
    this.#emit("close", { code, reason, retry: false });
    this.close();
  }

  /** @param {KeywireState} state */
  #enter(state) {
    if (this.#stop.signal.aborted && state !== "closed") return;
    if (state === this.#state && this.#transport === this.#saidTransport) return;
    this.#state = state;
    this.#saidTransport = this.#transport;
    this.dispatchEvent(Object.assign(new Event("state"), { state, transport: this.#transport }));
  }

  /**
   * @param {string} type
   * @param {object} members
   */
  #emit(type, members) {
    if (this.#stop.signal.aborted) return;
    this.dispatchEvent(Object.assign(new Event(type), members));
  }

  /**
   * Waits, at most until the client is closed, or until a nudge where that counts.
   * @param {number} ms
   * @param {boolean} hurries
   * @returns {Promise<void>}
   */
  #pause(ms, hurries) {
    return new Promise((resolve) => {
      // A listener may just have closed it.
      if (this.#stop.signal.aborted) return resolve();
      const over = child(this.#stop.signal);
      const { signal } = over;
      const timer = setTimeout(() => over.abort(), Math.min(ms, FOREVER));
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
      if (hurries) this.#nudges.addEventListener("nudge", () => over.abort(), { signal });
    });
  }
}

/**
 * A WebSocket from its dial to its end; never rejects.
 * @param {SocketClass} WebSocket
 * @param {string} url
 * @param {Line} line
 * @param {EventTarget} nudges
 * @returns {Promise<End>}
 */
function dial(WebSocket, url, { key, cursor, line, heard, pingMs, dialMs }, nudges) {
  return new Promise((resolve) => {
    const { signal } = line;
    /** @type {Socket | undefined} */
    let socket;
    let welcomed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let leaving;
    const silent = () => end({ code: 1006, reason: "silent", silent: true });
    const watch = watchSilence(pingMs, () => socket?.send("ping"), silent);
    let deadline = setTimeout(silent, dialMs);

    /** @param {End} why */
    function end(why) {
      if (signal.aborted) return;
      resolve(why);
      line.abort();
    }
    signal.addEventListener("abort", () => {
      clearTimeout(deadline);
      clearTimeout(leaving);
      watch.stop();
      resolve({ code: 1000, reason: "closed" });
      if (socket === undefined) return;
      // Whatever an abandoned socket still says is said to nobody.
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    });
    if (cursor !== undefined) {
      url += `${url.includes("?") ? "&" : "?"}after=${encodeURIComponent(cursor)}`;
    }
    try {
      socket = new WebSocket(url, [PROTOCOL, `key.${base64url(key)}`]);
    } catch (error) {
      return end({ code: 1006, reason: String(error) });
    }
    // Without a listener some implementations throw; `close` follows and says as much.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }) => end({ code: code || 1006, reason });
    socket.onopen = () => {
      clearTimeout(deadline);
      if (socket?.protocol !== PROTOCOL) return end({ code: 1006, reason: `not ${PROTOCOL}` });
      deadline = setTimeout(silent, dialMs);
    };
    socket.onmessage = ({ data }) => {
      watch.heard();
      for (const line of typeof data === "string" ? data.split("\n") : []) {
        const event = parse(line);
        if (typeof event?.type !== "string") continue;
        if (event.type === "welcome" && !welcomed) {
          welcomed = true;
          clearTimeout(deadline);
          watch.start();
          nudges.addEventListener("nudge", watch.check, { signal });
        }
        if (event.type === "reconnect" && leaving === undefined) {
          const ms = Math.min(FOREVER, Math.max(0, Number(event.retryMs) || 0));
          leaving = setTimeout(() => end({ code: 1000, reason: "reconnect", atOnce: true }), ms);
        }
        heard(/** @type {Heard} */ (event));
      }
    };
  });
}

/**
 * An event stream from its request to its end; never rejects. A `probe` ends with code 200 as soon as
 * the server has agreed.
 * @param {string} url
 * @param {Line} line
 * @param {boolean} [probe]
 * @returns {Promise<End>}
 */
async function listen(url, { key, cursor, line, heard, pingMs, dialMs }, probe = false) {
  const { signal } = line;
  let why = "no connection";
  const silent = () => {
    why = "silent";
    line.abort();
  };
  const watch = watchSilence(pingMs, () => {}, silent);
  let deadline = setTimeout(silent, dialMs);
  try {
    const response = await fetch(url, {
      headers: {
        accept: "text/event-stream",
        // A header's characters are bytes, so these are the bytes of the key in UTF-8.
        authorization: `Bearer ${binary(key)}`,
        ...(cursor === undefined ? {} : { "last-event-id": encodeURIComponent(cursor) }),
      },
      cache: "no-store",
      signal,
    });
    if (!response.ok) return await refusal(response);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
      return { code: 1006, reason: "no event stream" };
    }
    if (probe) return { code: 200, reason: "" };

    clearTimeout(deadline);
    deadline = setTimeout(silent, dialMs);
    /** @type {number | undefined} */
    let retryMs;
    const push = eventStreamParser((block) => {
      if (signal.aborted) return;
      if (block.retry !== undefined) retryMs = block.retry;
      const event = read(block);
      if (event?.type === "welcome") {
        clearTimeout(deadline);
        watch.start();
      }
      if (event !== undefined) heard(event);
    });
    const reader = response.body.getReader();
    // Deno forgets now and then, by garbage collection, that the signal ends the reading too.
    signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        const end = { code: 1005, reason: "the stream ended" };
        return retryMs === undefined ? end : { ...end, retryMs };
      }
      watch.heard();
      push(decoder.decode(value, { stream: true }));
    }
  } catch {
    return { code: 1006, reason: why };
  } finally {
    clearTimeout(deadline);
    watch.stop();
    line.abort();
  }
}

/**
 * A block of an event stream as the event of `keywire.v1` that means the same.
 * @param {EventStreamBlock} block
 * @returns {Heard | undefined}
 */
function read({ type, data, id }) {
  const cursor = id === undefined ? {} : { cursor: id };
  if (data === undefined) return id === undefined ? undefined : { type: "pong", ...cursor };
  const content = parse(data);
  if (type === "message") return content && { type, message: content, ...cursor };
  return { ...content, type, ...cursor };
}

/**
 * Why the server did not agree.
 * @param {Response} response
 * @returns {Promise<End>}
 */
async function refusal(response) {
  const { status } = response;
  const problem = parse(await response.text().catch(() => ""));
  const reason = String(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
  const after = response.headers.get("retry-after");
  if (after === null) return { code: status, reason };
  const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return { code: status, reason, ...(Number.isNaN(ms) ? {} : { retryMs: Math.max(0, ms) }) };
}

/**
 * A block of an event stream. `data` and `id` are undefined where it has none.
 * @typedef {{ type: string, data?: string, id?: string, retry?: number }} EventStreamBlock
 */

/**
 * Reads `text/event-stream` as the HTML standard says, from chunks that may end anywhere. Other than
 * `EventSource` it reports blocks without data too, since an `id:` alone moves the position.
 *
 * @param {(block: EventStreamBlock) => void} onBlock called once for each block that says something
 * @returns {(chunk: string) => void} takes the next piece of the stream
 */
export function eventStreamParser(onBlock) {
  let rest = "";
  let skipLineFeed = false;
  /** @type {EventStreamBlock} */
  let block = { type: "message" };
  /** @param {string} line */
  const field = (line) => {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "event") block.type = value || "message";
    if (name === "data") block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    if (name === "id" && !value.includes("\0")) block.id = value;
    if (name === "retry" && /^\d+$/.test(value)) block.retry = Number(value);
  };
  return (chunk) => {
    if (chunk === "") return;
    // A line feed that follows a carriage return belongs to it, though it came later.
    if (skipLineFeed && chunk.startsWith("\n")) chunk = chunk.slice(1);
    skipLineFeed = chunk.endsWith("\r");
    const lines = (rest + chunk).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        field(line);
        continue;
      }
      const { data, id, retry } = block;
      if (data !== undefined || id !== undefined || retry !== undefined) onBlock(block);
      block = { type: "message" };
    }
  };
}

/**
 * Calls `beat` once an interval, about, and `dead` when nothing was heard over more than two. It
 * counts intervals, not time: timers of hidden pages are late, and a late timer is no silence.
 * @param {number} intervalMs
 * @param {() => void} beat
 * @param {() => void} dead
 */
function watchSilence(intervalMs, beat, dead) {
  let silent = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const start = (ms = intervalMs * spread()) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (silent >= 2) return dead();
      silent++;
      beat();
      start();
    }, ms);
  };
  return {
    start,
    stop: () => clearTimeout(timer),
    heard: () => {
      silent = 0;
    },
    /** Wants an answer soon: the connection may not have survived a sleep or another network. */
    check: () => {
      silent = 2;
      beat();
      start(intervalMs / 3);
    },
  };
}

/**
 * A controller that aborts with `signal`, and lets go of it once it is aborted itself.
 * @param {AbortSignal} signal
 */
function child(signal) {
  const controller = new AbortController();
  const own = controller.signal;
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort(), { signal: own });
  return controller;
}

/**
 * @param {string | URL} url
 * @returns {{ websocket: string, sse: string }}
 */
function addresses(url) {
  const base = new URL(url, globalThis.location?.href);
  if (!/^(ws|http)s?:$/.test(base.protocol)) {
    throw new TypeError(`Cannot connect as the URL must be of ws or http: ${base.protocol}`);
  }
  const secure = /^(wss|https):$/.test(base.protocol) ? "s" : "";
  const where = base.host + base.pathname.replace(/\/(websocket|events)?$/, "");
  return {
    websocket: `ws${secure}://${where}/websocket${base.search}`,
    sse: `http${secure}://${where}/events${base.search}`,
  };
}

/** Only a plain no counts: outside of browsers nobody says. */
function isOffline() {
  const { navigator } = /** @type {{ navigator?: { onLine?: boolean } }} */ (globalThis);
  return navigator?.onLine === false;
}

/** A factor that keeps clients which came together apart. */
function spread() {
  return 0.8 + 0.4 * Math.random();
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | undefined} undefined where it is no JSON object
 */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function binary(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** @param {string} text */
function base64url(text) {
  return btoa(binary(text)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
