// deno-lint-ignore-file no-console -- trouble that no listener asks for must be seen
/// <reference lib="esnext.disposable" preserve="true" />
// @ts-self-types="./keywire.d.ts"

/**
 * The client of Keywire: one module without dependencies, for browsers, Deno and Node 20 or later.
 * The types, and what each option and event means, are in keywire.d.ts; the manual is docs/client.md.
 *
 * @module
 */

/** @import { KeywireOptions, KeywireSource, KeywireState } from "./keywire.d.ts" */
/** @import { KeywireTransport } from "./keywire.d.ts" */

/**
 * What a connection delivers: the events of `keywire.v1`, whose names those of an event stream get too.
 * @typedef {{
 *   type: string,
 *   cursor?: unknown,
 *   recovered?: unknown,
 *   lost?: unknown,
 *   source?: unknown,
 *   message?: unknown,
 *   retryMs?: unknown,
 * }} ServerEvent
 */

/**
 * What the client delivers to its listeners, and to the other pages that share its connection.
 * @typedef {(
 *   | { type: "state", state: KeywireState, transport: KeywireTransport }
 *   | { type: "welcome", cursor: string | undefined, recovered: boolean | undefined,
 *       lost: KeywireSource[] | undefined, transport: KeywireTransport }
 *   | { type: "gap", cursor: string | undefined, lost: KeywireSource[] }
 *   | { type: "message", cursor: string | undefined, message: unknown }
 *   | { type: "pong", cursor: string | undefined }
 *   | { type: "close", code: number, reason: string, retry: boolean, retryMs?: number,
 *       failed: boolean }
 * )} ClientEvent
 */

/**
 * How a connection, or an attempt at one, ended. `final`: the gateway itself said that coming back is
 * no use, at least with this key. `silent`: no answer came. `atOnce`: to come back without a wait.
 * @typedef {{
 *   code: number,
 *   reason: string,
 *   final?: boolean,
 *   silent?: boolean,
 *   retryMs?: number | undefined,
 *   atOnce?: boolean,
 * }} CloseInfo
 */

/**
 * What a connection is made of.
 * @typedef {{
 *   key: string,
 *   cursor: string | undefined,
 *   controller: AbortController,
 *   onEvent: (event: ServerEvent) => void,
 *   pingMs: number,
 *   dialMs: number,
 * }} ConnectionContext
 */

/**
 * Shares one connection between pages, see keywire_shared.js.
 * @typedef {{
 *   lead(key?: string): Promise<AbortSignal>,
 *   post(event: ClientEvent): void,
 * }} Sharing
 */

/**
 * The part of WebSocket that is used: `on…` is what every implementation has.
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

/**
 * The options with their defaults.
 * @typedef {{ [Name in Exclude<keyof KeywireOptions, "cursor" | "WebSocket">]-?:
 *   NonNullable<KeywireOptions[Name]> }} Settings
 */

const PROTOCOL = "keywire.v1";

/** With this the gateway tells refusals as problems, not as a stream that only asks to come later. */
const ACCEPT = "text/event-stream, application/problem+json";

/** The key is not accepted: these codes allow coming back with another one only. */
const REFUSED = [401, 403, 4403];

/** Close codes of the gateway itself; any other may come from something between. */
const GATEWAY_CODES = [1001, 1009, 1012, 4403, 4408, 4429];

/** The client said too much: it comes back, but late. */
const TOO_MUCH = 4429;

/** So many dials that did not get through, while HTTP did, mean that WebSockets do not. */
const BLOCKED_AFTER = 2;

/** How long events may wait for the outcome of a trial: what swallows WebSockets answers never. */
const TRIAL_MS = 3_000;

/** The longest wait, in milliseconds: with a jitter still one that `setTimeout` can wait for. */
const FOREVER = 1e9;

/** The names of the client's own events; a message whose type is one of them has no event of its own. */
const OWN_EVENTS = ["message", "welcome", "gap", "close", "error", "state"];

/** @type {Omit<Settings, "key">} */
const DEFAULTS = {
  transport: "auto",
  shared: false,
  debug: false,
  typeMember: "type",
  gapJitterMs: 5_000,
  minDelayMs: 500,
  maxDelayMs: 20_000,
  pingMs: 15_000,
  dialMs: 15_000,
  upgradeMs: 180_000,
};

/** @type {KeywireSource[]} */
const SOURCES = ["channel", "stream"];

/** A connection to Keywire that lasts until {@link Keywire.close}. */
export class Keywire extends EventTarget {
  /** @type {Settings} */
  #options;
  /** @type {KeywireOptions["WebSocket"]} */
  #WebSocket;
  /** @type {{ websocket: string, sse: string }} */
  #urls;
  /** @type {KeywireState} */
  #state = "connecting";
  /** The way that this client uses or tries. @type {KeywireTransport} */
  #transport;
  /** The way that its listeners were told of. @type {KeywireTransport} */
  #reportedTransport;
  /** The position behind what was delivered to listeners. @type {string | undefined} */
  #cursor;
  /** The position behind what the connection brought. @type {string | undefined} */
  #position;
  #welcomedAt = 0;
  #blocked = 0;
  #upgradeAt = 0;
  /** Failures in a row. */
  #attempt = 0;
  /** The last key that was not accepted. @type {{ key: string, end: CloseInfo } | undefined} */
  #refused;
  #stop = new AbortController();
  /** Ends the connection: when the client is closed, or another page takes the connection over. */
  #scope = this.#stop.signal;
  /** @type {Sharing | undefined} */
  #sharing;
  /** Fires `networkChanged` when there is reason to believe that the network is back. */
  #network = new EventTarget();
  /** Fires messages under the name that they carry as their type. */
  #messages = new EventTarget();
  /** Sources of which a `gap` is due. @type {Set<KeywireSource>} */
  #lost = new Set();
  /** @type {string | undefined} */
  #gapCursor;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gapTimer;
  /** Failures that were reported since the last welcome. @type {Set<string>} */
  #reported = new Set();
  /** Whether the application ever asked for failures. */
  #hasErrorListener = false;
  /** @type {Promise<any>} */
  #ready;

  /**
   * @param {string | URL} url
   * @param {KeywireOptions} options
   * @throws {TypeError} when the URL or an option makes no sense
   */
  constructor(url, options) {
    super();
    const { key, transport = "auto" } = options;
    insist(
      typeof key === "string" || typeof key === "function",
      "`key` must be a string or a function",
    );
    insist(
      ["auto", "websocket", "sse"].includes(transport),
      `\`transport\` must be auto, websocket or sse: ${transport}`,
    );
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    insist(
      transport !== "websocket" || this.#WebSocket,
      "there is no WebSocket: pass one",
    );
    this.#urls = addresses(url);
    // Storage that holds none gives null.
    this.#cursor = this.#position = options.cursor ?? undefined;
    this.#transport = transport === "sse" || this.#WebSocket === undefined ? "sse" : "websocket";
    this.#reportedTransport = this.#transport;
    /** @type {any} */
    const settings = { ...options };
    for (const [name, value] of Object.entries(DEFAULTS)) {
      const given = settings[name] ??= value;
      if (!name.endsWith("Ms")) continue;
      // Without these bounds timers would fire at once, and attempts would follow without a pause.
      insist(given >= (name === "gapJitterMs" ? 0 : 1), `\`${name}\` must be 1 or more`);
      settings[name] = Math.min(FOREVER, given);
    }
    this.#options = settings;
    this.#ready = new Promise((resolve, reject) => {
      this.once("welcome", resolve);
      const { signal } = this.#stop;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    this.#ready.catch(() => {}); // an application that does not ask need not handle it
    this.#watchNetwork();
    queueMicrotask(() => this.#start());
  }

  get state() {
    return this.#state;
  }

  get transport() {
    return this.#reportedTransport;
  }

  get cursor() {
    return this.#cursor;
  }

  get ready() {
    return this.#ready;
  }

  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   * @param {AddEventListenerOptions} [options]
   */
  on(type, listener, options) {
    // A function of its own, so that an undo removes this registration alone.
    const own = (/** @type {Event} */ event) => listener(event);
    const target = OWN_EVENTS.includes(type) ? this : this.#messages;
    target.addEventListener(type, own, options);
    return () => target.removeEventListener(type, own, options);
  }

  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  once(type, listener) {
    return this.on(type, listener, { once: true });
  }

  /**
   * @override
   * @type {EventTarget["addEventListener"]}
   */
  addEventListener(type, listener, options) {
    if (type === "error" || type === "close") this.#hasErrorListener = true;
    super.addEventListener(type, listener, options);
  }

  close() {
    this.#end("close() was called");
  }

  [Symbol.dispose]() {
    this.close();
  }

  /** @param {string} why */
  #end(why) {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#gapTimer);
    // Before the signal, which ends all that is fired.
    this.#take({ type: "state", state: "closed", transport: this.#reportedTransport });
    this.#stop.abort(new Error(`Keywire is closed: ${why}`));
  }

  #watchNetwork() {
    const { signal } = this.#stop;
    const changed = () => this.#network.dispatchEvent(new Event("networkChanged"));
    globalThis.addEventListener?.("online", () => {
      // It may be another network, which lets WebSockets through.
      this.#upgradeAt = 0;
      changed();
    }, { signal });
    const { document } = /** @type {{ document?: EventTarget & { visibilityState: string } }} */ (
      globalThis
    );
    document?.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") changed();
    }, { signal });
  }

  /** Loads what the options ask for beside the core, then connects. */
  async #start() {
    const { debug, shared } = this.#options;
    const { signal } = this.#stop;
    if (debug) {
      const module = await import("./keywire_debug.js").catch(notLoaded);
      module?.explain(/** @type {any} */ (this), this.#urls.sse);
    }
    // What another page hears does not begin where this page's own cursor stands.
    if (shared && this.#cursor === undefined && browser().locks) {
      const module = await import("./keywire_shared.js").catch(notLoaded);
      this.#sharing = await module?.share(this.#urls.websocket, {
        who: shared,
        signal,
        take: (event) => this.#take(event),
        cursor: () => this.#cursor,
        resume: (cursor) => {
          this.#cursor = this.#position = cursor;
        },
      });
    }
    await this.#run();
  }

  async #run() {
    const { key: source, minDelayMs, maxDelayMs, shared } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (shared !== true) await this.#lead();
      this.#enter("connecting");
      if (signal.aborted) return;
      const { key, failure } = await this.#askKey(this.#refused !== undefined);
      if (signal.aborted) return;
      if (!key && !failure) return this.#giveUp({ code: 0, reason: "no key" });
      const refused = this.#refused;
      if (refused !== undefined && key === refused.key) return this.#giveUp(refused.end);
      if (shared === true && !failure) {
        await this.#lead(key);
        this.#enter("connecting");
      }
      if (signal.aborted) return;
      this.#welcomedAt = 0;
      const end = failure ?? await this.#connect(key);
      if (signal.aborted) return;
      if (this.#scope.aborted) continue; // another page has it now

      const welcomed = this.#welcomedAt !== 0;
      if (welcomed) this.#refused = undefined;
      // A connection that breaks as soon as it stands is as good as a failed one.
      if (welcomed && Date.now() - this.#welcomedAt >= 10 * minDelayMs) this.#attempt = 0;
      if (end.final) {
        if (!REFUSED.includes(end.code)) return this.#giveUp(end);
        if (typeof source === "string" || this.#refused !== undefined) return this.#giveUp(end);
        this.#refused = { key, end };
      }
      // The browser may be wrong about the network, so it is tried all the same, but slowly.
      const slowly = isOffline() || end.code === TOO_MUCH;
      const jitterMs = slowly
        ? maxDelayMs * (1 + Math.random()) / 2
        : Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** this.#attempt);
      const retryMs = end.atOnce ? 0 : Math.round((end.retryMs ?? 0) + jitterMs);
      if (!end.atOnce) this.#attempt++;
      this.#deliver({
        type: "close",
        code: end.code,
        reason: end.reason,
        retry: true,
        retryMs,
        failed: !end.atOnce && (!welcomed || end.code >= 4000),
      });
      if (retryMs === 0) continue;
      this.#enter(isOffline() ? "offline" : "waiting");
      // What the server asked for holds, whatever the browser says about the network.
      await this.#pause(retryMs, end.retryMs === undefined);
    }
  }

  /**
   * Waits until this page is the one that connects.
   * @param {string} [key]
   */
  async #lead(key) {
    if (this.#sharing) this.#scope = await this.#sharing.lead(key);
  }

  /**
   * The key, empty where there is none, or why it cannot be told now.
   * @param {boolean} refused
   * @returns {Promise<{ key: string, failure?: CloseInfo }>}
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
   * @returns {Promise<CloseInfo>}
   */
  async #connect(key) {
    if (this.#transport === "sse") return await this.#connectEvents(key);
    const end = await this.#connectSocket(key, child(this.#scope), (event) => {
      if (event.type === "welcome") this.#blocked = 0;
      this.#receive(event);
    });
    if (this.#welcomedAt !== 0 || GATEWAY_CODES.includes(end.code)) return end;
    if (this.#scope.aborted) return end;

    // A browser does not tell why an upgrade was refused, but does for a plain request.
    const answer = await listen(this.#urls.sse, this.#context(key, child(this.#scope)), true);
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
   * @param {AbortController} controller
   * @param {(event: ServerEvent) => void} onEvent
   */
  #connectSocket(key, controller, onEvent) {
    const dialer = /** @type {SocketClass} */ (this.#WebSocket);
    const context = this.#context(key, controller, onEvent);
    return dial(dialer, this.#urls.websocket, context, this.#network);
  }

  /**
   * An event stream, until its end or the end of the WebSocket that took its place.
   * @param {string} key
   * @returns {Promise<CloseInfo>}
   */
  async #connectEvents(key) {
    const controller = child(this.#scope);
    /** @type {Promise<CloseInfo> | undefined} */
    let successor;
    /** @type {AbortController | undefined} */
    let trial;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    // While a WebSocket is tried, events wait for the outcome: where it opens it brings them again.
    /** @type {ServerEvent[]} */
    let held = [];
    const release = () => {
      trial = undefined;
      const events = held;
      held = [];
      for (const event of events) this.#receive(event);
    };

    const plan = () => {
      clearTimeout(timer);
      timer = setTimeout(upgrade, Math.min(FOREVER, Math.max(0, this.#upgradeAt - Date.now())));
    };
    const upgrade = async () => {
      const mine = trial = child(this.#scope);
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
          controller.abort();
        }
        this.#receive(event);
      });
      await end;
      if (adopted || controller.signal.aborted) return;
      this.#upgradeAt = this.#nextUpgrade();
      release();
      plan();
    };

    const mayUpgrade = this.#options.transport === "auto" && this.#WebSocket !== undefined;
    const context = this.#context(key, controller, (event) => {
      if (trial !== undefined) return void held.push(event);
      this.#receive(event);
      if (event.type !== "welcome" || !mayUpgrade) return;
      plan();
      const { signal } = controller;
      this.#network.addEventListener("networkChanged", () => trial ?? plan(), { signal });
    });
    const end = await listen(this.#urls.sse, context);
    clearTimeout(timer);
    if (successor !== undefined) return await successor;
    trial?.abort();
    release();
    // Where nothing gets through this way either, both are tried in turn.
    if (mayUpgrade && this.#welcomedAt === 0 && end.code === 1006) this.#transport = "websocket";
    return end;
  }

  #nextUpgrade() {
    return Date.now() + this.#options.upgradeMs * jitter();
  }

  /**
   * @param {string} key
   * @param {AbortController} controller
   * @param {(event: ServerEvent) => void} [onEvent]
   * @returns {ConnectionContext}
   */
  #context(key, controller, onEvent = () => {}) {
    return { ...this.#options, key, cursor: this.#position, controller, onEvent };
  }

  /**
   * Takes one event of the living connection.
   * @param {ServerEvent} event
   */
  #receive({ type, cursor: given, recovered: told, lost, source, message }) {
    if (this.#scope.aborted) return;
    const cursor = typeof given === "string" ? given : this.#position;
    if (type === "welcome") {
      const recovered = typeof told === "boolean" ? told : undefined;
      // What was missed comes behind the welcome; until it is here, the old cursor is the true one.
      if (!recovered) this.#position = cursor;
      this.#welcomedAt = Date.now();
      return this.#deliver({
        type,
        cursor,
        recovered,
        lost: recovered === false ? sourcesOf(lost) : undefined,
        transport: this.#transport,
      });
    }
    this.#position = cursor;
    if (type === "message") this.#deliver({ type, cursor, message });
    else if (type === "gap") this.#deliver({ type, cursor, lost: sourcesOf([source]) });
    else this.#deliver({ type: "pong", cursor });
  }

  /**
   * Hands an event on to the listeners: those of this page, or of all that share the connection.
   * @param {ClientEvent} event
   */
  #deliver(event) {
    if (this.#sharing) this.#sharing.post(event);
    else this.#take(event);
  }

  /**
   * Tells the listeners of this page.
   * @param {ClientEvent} event
   */
  #take(event) {
    if (this.#stop.signal.aborted) return;
    if (event.type === "state") {
      const { type, ...members } = event;
      const { state, transport } = event;
      if (state === this.#state && transport === this.#reportedTransport) return;
      this.#state = state;
      this.#reportedTransport = transport;
      return this.#emit(type, members);
    }
    if (event.type === "close") {
      const { type, failed, ...members } = event;
      this.#emit(type, members);
      return failed ? this.#fail(event) : undefined;
    }
    const { type, cursor } = event;
    if (type === "welcome") {
      const { recovered, lost, transport } = event;
      if (!recovered) this.#cursor = cursor;
      this.#reported.clear();
      this.#take({ type: "state", state: "open", transport });
      this.#emit(type, { recovered, lost, cursor });
      if (lost) this.#gap(lost, cursor);
      return;
    }
    this.#cursor = cursor;
    if (type === "gap") return this.#gap(event.lost, cursor);
    if (type !== "message") return;
    const { message } = event;
    this.#emit(type, { data: message, cursor });
    const name = /** @type {Record<string, unknown>} */ (message)?.[this.#options.typeMember];
    if (typeof name === "string") this.#emit(name, { data: message, cursor }, this.#messages);
  }

  /**
   * Fires one `gap` for all that was lost within a random while: thousands of clients which lose
   * something at one moment must not all fetch their state at that moment.
   * @param {KeywireSource[]} lost
   * @param {string | undefined} cursor
   */
  #gap(lost, cursor) {
    // A listener may just have closed it.
    if (this.#stop.signal.aborted) return;
    for (const source of lost) this.#lost.add(source);
    this.#gapCursor = cursor;
    const fire = () => {
      this.#gapTimer = undefined;
      const sources = SOURCES.filter((source) => this.#lost.delete(source));
      this.#emit("gap", { sources, cursor: this.#gapCursor });
    };
    const { gapJitterMs } = this.#options;
    if (gapJitterMs === 0) fire();
    else this.#gapTimer ??= setTimeout(fire, Math.random() * gapJitterMs);
  }

  /**
   * Tells of a failure, once until the next welcome; on the console where no listener asked for it.
   * @param {ClientEvent & { type: "close" }} event
   */
  #fail({ code, reason, retry }) {
    const message = `${reason || "the connection failed"} (${code})`;
    if (retry && (isOffline() || this.#reported.has(message))) return;
    this.#reported.add(message);
    this.#emit("error", { code, reason, retry, message });
    if (this.#hasErrorListener) return;
    console.warn(
      `Keywire: ${message}. It ${retry ? "tries again" : "gives up"}; debug: true explains`,
    );
  }

  /**
   * Closes because coming back is no use.
   * @param {CloseInfo} end
   */
  #giveUp({ code, reason }) {
    this.#take({ type: "close", code, reason, retry: false, failed: true });
    this.#end(`${reason} (${code})`);
  }

  /** @param {KeywireState} state */
  #enter(state) {
    this.#deliver({ type: "state", state, transport: this.#transport });
  }

  /**
   * @param {string} type
   * @param {object} members
   * @param {EventTarget} target
   */
  #emit(type, members, target = this) {
    if (this.#stop.signal.aborted) return;
    target.dispatchEvent(Object.assign(new Event(type), members));
  }

  /**
   * Waits, at most until the connection is not this page's any more, or until the network changes
   * where that counts.
   * @param {number} ms
   * @param {boolean} hurries
   * @returns {Promise<void>}
   */
  #pause(ms, hurries) {
    return new Promise((resolve) => {
      // A listener may just have closed it.
      if (this.#scope.aborted) return resolve();
      const over = child(this.#scope);
      const { signal } = over;
      const timer = setTimeout(() => over.abort(), Math.min(FOREVER, ms));
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
      if (hurries) this.#network.addEventListener("networkChanged", () => over.abort(), { signal });
    });
  }
}

/**
 * A WebSocket from its dial to its end; never rejects.
 * @param {SocketClass} WebSocket
 * @param {string} url
 * @param {ConnectionContext} context
 * @param {EventTarget} network
 * @returns {Promise<CloseInfo>}
 */
function dial(WebSocket, url, { key, cursor, controller, onEvent, pingMs, dialMs }, network) {
  return new Promise((resolve) => {
    const { signal } = controller;
    /** @type {Socket | undefined} */
    let socket;
    let welcomed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let leaving;
    const silent = () => end({ code: 1006, reason: "silent", silent: true });
    const watch = watchSilence(pingMs, () => socket?.send("ping"), silent);
    let deadline = setTimeout(silent, dialMs);

    /** @param {CloseInfo} why */
    function end(why) {
      if (signal.aborted) return;
      resolve(why);
      controller.abort();
    }
    signal.addEventListener("abort", () => {
      clearTimeout(deadline);
      clearTimeout(leaving);
      watch.stop();
      resolve({ code: 1000, reason: "closed" });
      if (socket === undefined) return;
      // What an abandoned socket still brings counts no more.
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
    socket.onclose = ({ code, reason }) => {
      end({ code: code || 1006, reason, final: code === 4403 || code === 1009 });
    };
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
          network.addEventListener("networkChanged", watch.check, { signal });
        }
        if (event.type === "reconnect" && leaving === undefined) {
          const ms = Math.min(FOREVER, Math.max(0, Number(event.retryMs) || 0));
          leaving = setTimeout(() => end({ code: 1000, reason: "reconnect", atOnce: true }), ms);
        }
        onEvent(/** @type {ServerEvent} */ (event));
      }
    };
  });
}

/**
 * An event stream from its request to its end; never rejects. A `probe` ends with code 200 as soon as
 * the server has agreed.
 * @param {string} url
 * @param {ConnectionContext} context
 * @param {boolean} [probe]
 * @returns {Promise<CloseInfo>}
 */
async function listen(url, context, probe = false) {
  const { key, cursor, controller, onEvent, pingMs, dialMs } = context;
  const { signal } = controller;
  let why = "no connection";
  const silent = () => {
    why = "silent";
    controller.abort();
  };
  const watch = watchSilence(pingMs, () => {}, silent);
  let deadline = setTimeout(silent, dialMs);
  try {
    const response = await fetch(url, {
      headers: {
        accept: ACCEPT,
        // A header's characters are bytes, so these are the bytes of the key in UTF-8.
        authorization: `Bearer ${binary(key)}`,
        ...(cursor === undefined ? {} : { "last-event-id": encodeURIComponent(cursor) }),
      },
      cache: "no-store",
      signal,
    });
    if (!response.ok) return await refusal(response);
    if (!hasType(response, "text/event-stream") || !response.body) {
      return { code: 1006, reason: "no event stream" };
    }
    if (probe) return { code: 200, reason: "" };

    clearTimeout(deadline);
    deadline = setTimeout(silent, dialMs);
    let welcomed = false;
    /** @type {number | undefined} */
    let retryMs;
    const push = eventStreamParser((block) => {
      if (signal.aborted) return;
      const event = toEvent(block);
      if (event?.type === "welcome") {
        welcomed = true;
        // What every welcome carries is for EventSource, which knows no backoff of its own.
        retryMs = undefined;
        clearTimeout(deadline);
        watch.start();
      }
      if (event !== undefined) onEvent(event);
    }, (ms) => {
      retryMs = ms;
    });
    const reader = response.body.getReader();
    // Deno forgets now and then, by garbage collection, that the signal ends the reading too.
    signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        const isRefused = retryMs !== undefined && !welcomed;
        return { code: isRefused ? 503 : 1005, reason: "the stream ended", retryMs };
      }
      watch.heard();
      push(decoder.decode(value, { stream: true }));
    }
  } catch {
    return { code: 1006, reason: why };
  } finally {
    clearTimeout(deadline);
    watch.stop();
    controller.abort();
  }
}

/**
 * A block of an event stream as the event of `keywire.v1` that means the same.
 * @param {EventStreamBlock} block
 * @returns {ServerEvent | undefined}
 */
function toEvent({ type, data, id: cursor }) {
  if (data === undefined) return { type: "pong", cursor };
  const content = parse(data);
  if (type === "message") return content && { type, message: content, cursor };
  return { ...content, type, cursor };
}

/**
 * Why the server did not agree.
 * @param {Response} response
 * @returns {Promise<CloseInfo>}
 */
async function refusal(response) {
  const { status } = response;
  const problem = parse(await response.text().catch(() => ""));
  const reason = String(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
  // Proxies and captive portals answer with pages of their own, which say nothing about the key.
  const isOurs = hasType(response, "application/problem+json");
  const final = isOurs && (status === 400 || REFUSED.includes(status));
  const after = String(response.headers.get("retry-after"));
  const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return { code: status, reason, final, retryMs: ms >= 0 ? ms : undefined };
}

/**
 * @param {Response} response
 * @param {string} type
 */
function hasType(response, type) {
  return String(response.headers.get("content-type")).startsWith(type);
}

/**
 * A block of an event stream. `data` and `id` are undefined where it has none.
 * @typedef {{ type: string, data?: string, id?: string }} EventStreamBlock
 */

/**
 * Reads `text/event-stream` as the HTML standard says, from chunks that may end anywhere. Other than
 * `EventSource` it reports blocks without data too, since an `id:` alone moves the position.
 *
 * @param {(block: EventStreamBlock) => void} onBlock called once for each block that says something
 * @param {(ms: number) => void} [onRetry] called for each `retry:`, which counts as soon as its line
 *   ends, even where the block does not
 * @returns {(chunk: string) => void} takes the next piece of the stream
 */
export function eventStreamParser(onBlock, onRetry) {
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
    if (name === "retry" && /^\d+$/.test(value)) onRetry?.(Number(value));
  };
  return (chunk) => {
    if (chunk === "") return;
    // A line feed that follows a carriage return belongs to it, though it came later.
    if (skipLineFeed && chunk.startsWith("\n")) chunk = chunk.slice(1);
    skipLineFeed = chunk.endsWith("\r");
    // What came before holds no line end: a long line is not looked through again with each chunk.
    const lines = chunk.split(/\r\n|\r|\n/);
    lines[0] = rest + lines[0];
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        field(line);
        continue;
      }
      const { data, id } = block;
      if (data !== undefined || id !== undefined) onBlock(block);
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
  const start = (ms = intervalMs * jitter()) => {
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
 * @param {unknown} holds
 * @param {string} otherwise
 * @throws {TypeError} with what is wrong, where it does not hold
 */
function insist(holds, otherwise) {
  if (!holds) throw new TypeError(`Cannot connect as ${otherwise}`);
}

/**
 * @param {string | URL} url
 * @returns {{ websocket: string, sse: string }}
 */
function addresses(url) {
  const base = new URL(url, globalThis.location?.href);
  insist(
    /^(ws|http)s?:$/.test(base.protocol),
    `\`url\` must be of ws or http: ${base.protocol}`,
  );
  const secure = /^(wss|https):$/.test(base.protocol) ? "s" : "";
  const where = base.host + base.pathname.replace(/\/(websocket|events)?$/, "");
  return {
    websocket: `ws${secure}://${where}/websocket${base.search}`,
    sse: `http${secure}://${where}/events${base.search}`,
  };
}

/** What the browser knows; Web Locks are there in secure contexts only. */
function browser() {
  return /** @type {{ onLine?: boolean, locks?: unknown }} */ (globalThis.navigator ?? {});
}

/** Only a plain no counts: outside of browsers it is not known. */
function isOffline() {
  return browser().onLine === false;
}

/** A factor that keeps clients which came together apart. */
function jitter() {
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

/**
 * The sources that the server named, or both where it named none.
 * @param {unknown} lost
 */
function sourcesOf(lost) {
  const named = SOURCES.filter((source) => Array.isArray(lost) && lost.includes(source));
  return named[0] ? named : SOURCES;
}

/**
 * The client works without what is loaded beside it.
 * @param {unknown} error
 * @returns {undefined}
 */
function notLoaded(error) {
  console.warn(`Keywire: ${error}`);
}

/** @param {string} text */
function binary(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** @param {string} text */
function base64url(text) {
  return btoa(binary(text)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
