/// <reference lib="esnext.disposable" preserve="true" />
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
export function eventStreamParser(
  onBlock: (block: EventStreamBlock) => void,
): (chunk: string) => void;
declare const Keywire_base: new () => KeywireTarget;
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
export class Keywire extends Keywire_base {
  /**
   * Connects. Nothing is fired before the caller had time to add listeners.
   *
   * @param {string | URL} url where Keywire answers: `wss:`, `ws:`, `https:` or `http:`, with or
   *   without the path `/websocket`; in browsers relative to the page
   * @param {KeywireOptions} options
   * @throws {TypeError} when the URL or an option makes no sense
   */
  constructor(url: string | URL, options: KeywireOptions);
  /** What the client is doing. */
  get state(): KeywireState;
  /** The way in use, or being tried. */
  get transport(): KeywireTransport;
  /** The position behind the last event that was delivered, for a later client's `cursor`. */
  get cursor(): string | undefined;
  /** Closes for good: frees timers and listeners, and fires nothing more than a last `state`. */
  close(): void;
  /** Calls {@link Keywire.close}. */
  [Symbol.dispose](): void;
  #private;
}
/**
 * A block of an event stream. `data` and `id` are undefined where it has none.
 */
export type EventStreamBlock = {
  type: string;
  data?: string;
  id?: string;
  retry?: number;
};
/**
 * `offline`: the browser says that there is no network. `waiting`: for the next attempt. `closed`:
 * for good, by `close()` or because coming back is no use.
 */
export type KeywireState = "connecting" | "open" | "waiting" | "offline" | "closed";
export type KeywireTransport = "websocket" | "sse";
/**
 * A key, or a function that fetches one. It is called before every attempt; `refused` says that the
 * key it gave last is not accepted (any more). Without another one then, or with none at all (`""`,
 * `null`, `undefined`), the client closes. Where it throws, it is asked again later.
 */
export type KeywireKey = (why: {
  refused: boolean;
}) => string | null | undefined | Promise<string | null | undefined>;
export type KeywireOptions = {
  /**
   * the secret that this client presents; it appears in no URL
   */
  key: string | KeywireKey;
  /**
   * `auto` (the default) prefers WebSocket
   */
  transport?: "auto" | KeywireTransport | undefined;
  /**
   * where an earlier client's `cursor` stood: resumes from there
   */
  cursor?: string | undefined;
  /**
   * for runtimes without
   * one of their own, such as Node 20 (`ws` fits); without any, `auto` means `sse`
   */
  WebSocket?: (new (url: string, protocols: string[]) => unknown) | undefined;
  /**
   * the first wait before coming back is random below this (500)
   */
  minDelayMs?: number | undefined;
  /**
   * it doubles with each failure, up to this (20,000)
   */
  maxDelayMs?: number | undefined;
  /**
   * how often to ask whether the connection lives (15,000)
   */
  pingMs?: number | undefined;
  /**
   * how long the server may take to answer, and then to welcome (15,000)
   */
  dialMs?: number | undefined;
  /**
   * after the fallback to `sse`, when to try WebSocket again (180,000)
   */
  upgradeMs?: number | undefined;
};
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
 */
export type KeywireEvents = {
  message: Event & {
    data: Record<string, unknown>;
    cursor: string | undefined;
  };
  welcome: Event & {
    recovered: boolean | undefined;
    cursor: string | undefined;
  };
  gap: Event & {
    cursor: string | undefined;
  };
  close: Event & {
    code: number;
    reason: string;
    retry: boolean;
    retryMs?: number;
  };
  state: Event & {
    state: KeywireState;
    transport: KeywireTransport;
  };
};
export type KeywireTarget = {
  addEventListener<Type extends keyof KeywireEvents>(
    type: Type,
    listener: (event: KeywireEvents[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof KeywireEvents>(
    type: Type,
    listener: (event: KeywireEvents[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
} & EventTarget;
/**
 * What a connection hears: the events of `keywire.v1`, whose names those of an event stream get too.
 */
export type Heard = {
  type: string;
  cursor?: unknown;
  recovered?: unknown;
  message?: unknown;
  retryMs?: unknown;
};
/**
 * How a connection, or an attempt at one, ended.
 */
export type End = {
  code: number;
  reason: string;
  silent?: boolean;
  retryMs?: number;
  atOnce?: boolean;
};
/**
 * What a connection is made of.
 */
export type Line = {
  key: string;
  cursor: string | undefined;
  line: AbortController;
  heard: (event: Heard) => void;
  pingMs: number;
  dialMs: number;
};
/**
 * The part of WebSocket that is used: `on…` is what every implementation has.
 */
export type Socket = {
  protocol: string;
  onopen: (() => void) | null;
  onmessage:
    | ((event: {
      data: unknown;
    }) => void)
    | null;
  onclose:
    | ((event: {
      code: number;
      reason: string;
    }) => void)
    | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number): void;
};
export type SocketClass = new (url: string, protocols: string[]) => Socket;
export {};
