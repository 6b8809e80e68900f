/// <reference lib="esnext.disposable" preserve="true" />

/**
 * What the client is doing. `offline`: the browser says that there is no network; it tries all the
 * same, but slowly. `waiting`: for the next attempt. `closed`: for good, by `close()` or because
 * coming back is no use.
 */
export type KeywireState = "connecting" | "open" | "waiting" | "offline" | "closed";

/** The way that messages take: a WebSocket, or server-sent events where WebSockets are blocked. */
export type KeywireTransport = "websocket" | "sse";

/** The way that a message came into Redis: by PUBLISH on the channel, or by XADD to the stream. */
export type KeywireSource = "channel" | "stream";

/**
 * Fetches a key. It is called before every attempt; `refused` says that the key which it gave last is
 * not accepted (any more). Without another one then, or with none at all (`""`, `null`, `undefined`),
 * the client closes. Where it throws, it is asked again later.
 */
export type KeywireKey = (why: {
  refused: boolean;
}) => string | null | undefined | Promise<string | null | undefined>;

/**
 * How a client connects. Everything but `key` has a default. Milliseconds are 1 or more (`gapJitterMs`
 * may be 0); what is above 1e9 counts as that.
 */
export interface KeywireOptions {
  /** The secret that this client presents, or a function that fetches it. It appears in no URL. */
  readonly key: string | KeywireKey;
  /** `auto` (the default) prefers WebSocket. */
  readonly transport?: "auto" | KeywireTransport | undefined;
  /**
   * Where to begin: the cursor of an earlier client, or the one that the backend got from
   * `GET /api/cursor` before it read the state that it printed into the page. `null`, as storage
   * that holds none gives it, is none.
   */
  readonly cursor?: string | null | undefined;
  /**
   * Whether all pages of this origin use one connection: `true` joins those that present the same
   * key, a name (the user's id) those which give that name. Without Web Locks (plain http), or with
   * a `cursor` of its own, each page connects by itself. `false` by default.
   */
  readonly shared?: boolean | string | undefined;
  /** The member of a message that names its type for `on`: `type` by default. */
  readonly typeMember?: string | undefined;
  /** Explains on the console, in one sentence each, why a connection fails. `false` by default. */
  readonly debug?: boolean | undefined;
  /** `gap` is fired within a random time up to this, in milliseconds (5,000); 0: at once. */
  readonly gapJitterMs?: number | undefined;
  /**
   * For runtimes without a WebSocket of their own, such as Node 20 (`ws` fits); without any, `auto`
   * means `sse`.
   */
  readonly WebSocket?: (new (url: string, protocols: string[]) => unknown) | undefined;
  /** The first wait before coming back is random below this, in milliseconds (500). */
  readonly minDelayMs?: number | undefined;
  /** It doubles with each failure, up to this, in milliseconds (20,000). */
  readonly maxDelayMs?: number | undefined;
  /** How often to ask whether the connection lives, in milliseconds (15,000). */
  readonly pingMs?: number | undefined;
  /** How long the server may take to answer, and then to welcome, in milliseconds (15,000). */
  readonly dialMs?: number | undefined;
  /** After the fallback to `sse`, when to try WebSocket again, in milliseconds (180,000). */
  readonly upgradeMs?: number | undefined;
}

/** A message, by `message` and by the name that its type member carries. */
export interface KeywireMessageEvent<Message = Record<string, unknown>> extends Event {
  /** The message. */
  readonly data: Message;
  /** The position behind it. */
  readonly cursor: string | undefined;
}

/** A connection is open. */
export interface KeywireWelcomeEvent extends Event {
  /** True when nothing was lost since the cursor, false when something may have been; absent at first. */
  readonly recovered: boolean | undefined;
  /** What may have been lost, where `recovered` is false. A `gap` follows. */
  readonly lost: readonly KeywireSource[] | undefined;
  readonly cursor: string | undefined;
}

/** Messages may have been lost: the application should fetch its state anew. */
export interface KeywireGapEvent extends Event {
  /** The sources of which messages may have been lost. */
  readonly sources: readonly KeywireSource[];
  readonly cursor: string | undefined;
}

/** A connection, or an attempt at one, ended. */
export interface KeywireCloseEvent extends Event {
  /**
   * That of the WebSocket (1006: it broke, 1005: the event stream ended), or the HTTP status of a
   * refusal, or 0 for want of a key.
   */
  readonly code: number;
  readonly reason: string;
  /** Whether the client comes back by itself. */
  readonly retry: boolean;
  /** When it comes back, in milliseconds. */
  readonly retryMs?: number;
}

/**
 * A connection was refused, or did not come about. It is fired once for each reason until a connection
 * opens; where no listener asked for it (or for `close`), the console warns.
 */
export interface KeywireErrorEvent extends Event {
  /** As in {@link KeywireCloseEvent}. */
  readonly code: number;
  readonly reason: string;
  /** Whether the client tries again by itself. */
  readonly retry: boolean;
  /** Code and reason in one sentence. */
  readonly message: string;
}

/** `state` or `transport` changed. */
export interface KeywireStateEvent extends Event {
  readonly state: KeywireState;
  readonly transport: KeywireTransport;
}

/** The client's events by their names. */
export interface KeywireEvents<Message = Record<string, unknown>> {
  message: KeywireMessageEvent<Message>;
  welcome: KeywireWelcomeEvent;
  gap: KeywireGapEvent;
  close: KeywireCloseEvent;
  error: KeywireErrorEvent;
  state: KeywireStateEvent;
}

/** The names that messages carry in their type member, but those of the client's own events. */
export type KeywireMessageName<Message, Member extends string = "type"> = Message extends
  { readonly [Key in Member]: infer Name }
  ? Name extends keyof KeywireEvents ? never : Name extends string ? Name : never
  : never;

/** Those messages whose type member is `Name`. */
export type KeywireMessageOf<Message, Member extends string, Name> = Message extends
  { readonly [Key in Member]: infer Its } ? Name extends Its ? Message : never : never;

/** The event that a listener for `Name` gets. */
export type KeywireEventOf<Message, Member extends string, Name> = Name extends
  keyof KeywireEvents<Message> ? KeywireEvents<Message>[Name]
  : KeywireMessageEvent<KeywireMessageOf<Message, Member, Name>>;

/** Every name that `on` takes. */
export type KeywireEventName<Message, Member extends string = "type"> =
  | keyof KeywireEvents
  | KeywireMessageName<Message, Member>;

declare const Target: new () => Omit<EventTarget, "addEventListener" | "removeEventListener">;

/**
 * A connection to Keywire that lasts until {@link Keywire.close}. It connects by WebSocket, and by
 * server-sent events where WebSockets do not get through; it comes back by itself after every
 * interruption and resumes where it was, so each message arrives once.
 *
 * `Message` is the type of the messages: a union with a discriminating `type` gives each listener of
 * `on` its own. `Member` is the name of that member, where it is another.
 *
 * @example
 * ```ts
 * type Message = { type: "comment"; text: string } | { type: "like"; count: number };
 *
 * const keywire = new Keywire<Message>("wss://push.example.com", { key: "the session's key" });
 * keywire.on("comment", ({ data }) => console.log(data.text));
 * keywire.on("gap", () => location.reload());
 * ```
 */
export class Keywire<Message = Record<string, unknown>, Member extends string = "type">
  extends Target {
  /**
   * Connects. Nothing is fired before the caller had time to add listeners.
   *
   * @param url where Keywire answers: `wss:`, `ws:`, `https:` or `http:`, with or without the path
   *   `/websocket`; in browsers relative to the page
   * @throws {TypeError} when the URL or an option makes no sense
   */
  constructor(
    url: string | URL,
    options:
      & KeywireOptions
      & ("type" extends Member ? { readonly typeMember?: Member | undefined }
        : { readonly typeMember: Member }),
  );
  /** What the client is doing. */
  get state(): KeywireState;
  /** The way in use, or being tried. */
  get transport(): KeywireTransport;
  /** The position behind the last event that was delivered, for a later client's `cursor`. */
  get cursor(): string | undefined;
  /** The first welcome. It rejects when the client closes before. */
  get ready(): Promise<KeywireWelcomeEvent>;
  /**
   * Listens for one of the client's own events, or for messages by the name that they carry.
   *
   * @returns undoes it
   */
  on<Name extends KeywireEventName<Message, Member>>(
    type: Name,
    listener: (event: KeywireEventOf<Message, Member, Name>) => void,
    options?: AddEventListenerOptions,
  ): () => void;
  /**
   * As {@link Keywire.on}, for the next such event only.
   *
   * @returns undoes it
   */
  once<Name extends KeywireEventName<Message, Member>>(
    type: Name,
    listener: (event: KeywireEventOf<Message, Member, Name>) => void,
  ): () => void;
  /** Listens for one of the client's own events, as with every `EventTarget`. */
  addEventListener<Name extends keyof KeywireEvents>(
    type: Name,
    listener: (event: KeywireEvents<Message>[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Undoes {@link Keywire.addEventListener}. */
  removeEventListener<Name extends keyof KeywireEvents>(
    type: Name,
    listener: (event: KeywireEvents<Message>[Name]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  /** Closes for good: frees timers and listeners, and fires nothing more than a last `state`. */
  close(): void;
  /** Calls {@link Keywire.close}. */
  [Symbol.dispose](): void;
}
