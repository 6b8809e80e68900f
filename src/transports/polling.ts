import { CLOSE, type CloseReason } from "../core/close_codes.ts";
import { POLLING } from "../core/format.ts";
import { readKey } from "../http/credentials.ts";
import { type Refusal, REFUSED } from "../http/refusals.ts";
import type {
  AdmittedClient,
  Connection,
  Connector,
  RequestInfo,
  Sink,
  Transport,
} from "./port.ts";
import { problem } from "../http/problem.ts";
import { BodyReader } from "../http/body_reader.ts";

/** How long a poll waits for a message, in milliseconds. */
const POLL_MS = 25_000;
/** How long a connection lives on between polls: bullet backs off up to 10 seconds. */
const AWAY_MS = 15_000;
/** The longest text that a client may post, in bytes; what is longer means nothing here. */
const MAX_POST_BYTES = 1024;

const NOT_OPEN: Refusal = {
  status: 409,
  detail: "Cannot post as this key has no open connection here: poll with GET first",
};

const POSTING: Refusal = {
  status: 429,
  detail: "Cannot post as this key's connections each have a POST under way: wait for its answer",
  retryAfter: 1,
};
const SLOW: Refusal = {
  status: 408,
  detail: "Cannot post as the body did not arrive within 5 seconds: send it at once",
};
const BUSY: Refusal = {
  status: 503,
  detail: "Cannot post as too many bodies are on their way to this node: try again in a moment",
  retryAfter: 1,
};
/** How many posts may be on their way at once: each of them costs the runtime some 100 KB. */
const MAX_POSTS = 1_000;

export interface PollingOptions {
  readonly pollMs?: number;
  readonly awayMs?: number;
  readonly bodies?: BodyReader;
}

/**
 * The polling of bullet.js 0.4: `GET` waits for one message, `POST` brings one. Its client sends no
 * connection id, but the `_` by which jQuery defeats caches counts up by one with each request.
 */
export class PollingTransport implements Transport {
  readonly #connector: Connector;
  readonly #options: Required<PollingOptions>;
  readonly #byKey = new Map<string, Set<Poller>>();
  /** How many POSTs of a key are under way. */
  readonly #posts = new Map<string, number>();

  constructor(
    connector: Connector,
    { pollMs = POLL_MS, awayMs = AWAY_MS, bodies = new BodyReader({ maxBodies: MAX_POSTS }) }:
      PollingOptions = {},
  ) {
    this.#connector = connector;
    this.#options = { pollMs, awayMs, bodies };
  }

  async handle(request: Request, { peer }: RequestInfo): Promise<Response> {
    const refused = this.#connector.checkOrigin(request);
    if (refused !== undefined) return problem(refused);
    if (request.method !== "GET" && request.method !== "POST") {
      return problem(this.#connector.refuse(REFUSED.method));
    }
    const key = readKey(request);
    const pollers = key === undefined ? undefined : this.#byKey.get(key);
    if (request.method === "POST") {
      if (key === undefined) return problem(REFUSED.key);
      if (pollers === undefined) return problem(NOT_OPEN);
      const posts = this.#posts.get(key) ?? 0;
      if (posts >= pollers.size) return problem(POSTING);
      this.#posts.set(key, posts + 1);
      return await this.#post(request).finally(() => this.#endPost(key));
    }
    const sequence = readSequence(request.url);
    const poller = pollers && choose([...pollers], sequence);
    if (poller !== undefined) return await poller.poll(request.signal, sequence);
    const client = await this.#connector.admit(request, peer);
    if ("status" in client) return problem(client);
    this.#open(client, sequence);
    return answer(""); // bullet's `onopen` waits for it
  }

  #open(client: AdmittedClient, sequence: number | undefined): void {
    const { key } = client;
    const pollers = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, pollers);
    const poller = new Poller(this.#options, sequence, () => {
      pollers.delete(poller);
      if (pollers.size === 0) this.#byKey.delete(key);
      this.#connector.onPeerGone(client);
    });
    pollers.add(poller);
    poller.connection = this.#connector.open(client, poller, POLLING);
  }

  async #post(request: Request): Promise<Response> {
    const body = await this.#options.bodies.read(request, MAX_POST_BYTES);
    if ("text" in body && body.text === "ping") return answer("heartbeat message");
    if ("fault" in body && body.fault === "too_slow") return problem(SLOW);
    if ("fault" in body && body.fault === "busy") return problem(BUSY);
    this.#connector.onIgnoredText();
    return answer("");
  }

  #endPost(key: string): void {
    const posts = this.#posts.get(key)! - 1;
    if (posts === 0) this.#posts.delete(key);
    else this.#posts.set(key, posts);
  }
}

type PollTimes = Required<Pick<PollingOptions, "pollMs" | "awayMs">>;

/** A connection that is polled: its sink has room for one message while a poll waits. */
class Poller implements Sink {
  readonly signalsDrain = true;
  readonly bufferedBytes = 0;
  connection: Connection | undefined;
  /** The `_` of its last request. */
  sequence: number | undefined;
  /** When its client was last heard or answered: the smallest has waited longest. */
  since = performance.now();
  readonly #options: PollTimes;
  readonly #ended: () => void;
  #answer: ((response: Response) => void) | undefined;
  #timer: ReturnType<typeof setTimeout>;

  constructor(
    options: PollTimes,
    sequence: number | undefined,
    ended: () => void,
  ) {
    this.#options = options;
    this.sequence = sequence;
    this.#ended = ended;
    this.#timer = this.#awaitPoll();
  }

  get capacity(): number {
    return this.#answer === undefined ? 0 : 1;
  }

  /** Whether a poll waits for a message now. */
  get waiting(): boolean {
    return this.#answer !== undefined;
  }

  /** Resolves with the next message, or empty when the time is over. */
  poll(aborted: AbortSignal, sequence: number | undefined): Promise<Response> {
    this.#respond(answer("")); // A poll that was still waiting was given up by its client.
    clearTimeout(this.#timer);
    this.sequence = sequence ?? this.sequence;
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.#answer = resolve;
    this.#timer = setTimeout(() => this.#respond(answer("")), this.#options.pollMs);
    aborted.addEventListener("abort", () => {
      if (this.#answer === resolve) this.#respond(answer(""));
    });
    this.connection?.drain();
    return promise;
  }

  send(text: string): void {
    this.#respond(answer(text));
  }

  close({ retry }: CloseReason): void {
    this.#respond(problem(retry === "yes" ? REFUSED.draining : REFUSED.unknownKey));
    clearTimeout(this.#timer);
    this.#ended();
  }

  #respond(response: Response): void {
    const respond = this.#answer;
    if (respond === undefined) return;
    this.#answer = undefined;
    clearTimeout(this.#timer);
    this.#timer = this.#awaitPoll();
    respond(response);
  }

  /** Ends the connection unless its client polls again in time. */
  #awaitPoll(): ReturnType<typeof setTimeout> {
    this.since = performance.now();
    return setTimeout(() => this.connection?.close(CLOSE.goingAway), this.#options.awayMs);
  }
}

/** Which connection a poll belongs to: the one whose sequence it follows, else the one that has waited longest. */
function choose(pollers: Poller[], sequence: number | undefined): Poller | undefined {
  const next = sequence === undefined
    ? undefined
    : pollers.find((one) => one.sequence === sequence - 1);
  if (next !== undefined) return next;
  return pollers.filter((one) => !one.waiting).sort((a, b) => a.since - b.since)[0];
}

/** The number that jQuery appends to defeat caches. */
function readSequence(url: string): number | undefined {
  const digits = /[?&]_=(\d{1,15})(?:&|$)/.exec(url)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function answer(text: string): Response {
  return new Response(text, {
    headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" },
  });
}
