/**
 * The bus carries envelopes in and notices out.
 *
 * An implementation keeps listening through every fault of its server, until it is disposed. It
 * never throws out of a callback and never stops because of what a message says: whether a text is
 * a valid envelope is not its business.
 */

import type { Malformed } from "../core/malformed.ts";
import type { PartHealth } from "../core/part_health.ts";
import type { ConnectionFailureCount } from "../redis/connection_failures.ts";
import type { BroughtPosition, Source } from "../core/position.ts";

export type { Source };

/** Which connections a backend wants closed, on every node. Both lists hold at least one or are empty. */
export interface DisconnectOrder {
  /** Connections that hear for any of these. */
  readonly recipients: readonly string[];
  /** Connections that were admitted with one of these keys: SHA-256 in unpadded base64url. */
  readonly keyHashes: readonly string[];
}

/** How an envelope is published. */
export interface PublishOptions {
  /**
   * Makes a repeat harmless: within 5 minutes the same envelope under the same key is published once.
   * 1 to 128 visible characters of ASCII, and what a batch puts behind them.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * The trace that goes on with the delivery, as W3C Trace Context writes it. Only the stream carries it:
   * a message of the channel is its envelope alone, which may hold a member of that name.
   */
  readonly traceparent?: string | undefined;
}

/**
 * What the gateway hears from the bus. Calls of one source come in that source's order. Where a bus
 * hands over several texts at once, it does so in one turn of the event loop.
 */
export interface BusListener {
  /**
   * One envelope as it was published on the channel: not parsed, not checked.
   * @param malformed why its bytes are no text, which is empty then; it has its place all the same
   */
  message(text: string, malformed?: Malformed): void;
  /**
   * A marker: all nodes hear the same markers at the same places among the channel's messages, so
   * "the last marker and the number of messages since" names a position that every node understands.
   * @param id unique, of `[A-Za-z0-9_-]`, at most 32 characters
   * @param own whether this node sent it
   */
  marker(id: string, own: boolean): void;
  /**
   * One entry of the stream, once each, in the order of ids.
   * @param id the entry's id, `<milliseconds>-<sequence>`
   * @param text its envelope: not parsed, not checked
   * @param replayed whether it was there before this node started: it belongs to the window, and no
   * connection is owed it. The first of these is the last entry before the window, where there is one:
   * a client that stands at it has missed nothing but what follows.
   * @param malformed why the entry holds no text, which is empty then; it has its place all the same
   * @param traceparent the trace that the entry names, as it is written there
   */
  entry(
    id: string,
    text: string,
    replayed: boolean,
    malformed?: Malformed,
    traceparent?: string,
  ): void;
  /**
   * Asked after each run of messages that was handed over: undefined when more may come at once, else
   * resolves, within 50 ms, when the connections have taken enough of it.
   */
  ready(): Promise<void> | undefined;
  /**
   * Messages of this source may have been lost before the next call. For the stream: it was trimmed
   * past the node's position, flushed or replaced, and goes on with what comes after `id`, which lies
   * after all that was handed over, unless the new stream's ids are lower.
   */
  gap(source: Source, id?: string): void;
  /**
   * The window of the stream is loaded (or the stream is off): what comes now is live. Called once.
   * @param id the last id that the stream has given, `0-0` when it has given none
   */
  historyLoaded(id: string): void;
  /**
   * A backend wants connections closed. Each order comes once, also to a node that was cut off from
   * the bus when it was given, for 60 s.
   */
  disconnect(order: DisconnectOrder): void;
}

/** Nodes ask each other: for operators, so seldom, and for what they know of recipients and positions. */
export interface Inquiries {
  /** From now on this node answers questions by `answer`, which never throws; what it returns is JSON. */
  answerWith(answer: (question: unknown) => unknown): void;
  /**
   * Asks every node, this one included. Resolves after `waitMs` milliseconds, or as soon as the answers
   * are `enough`: answers by the ids of the nodes that gave them. Never rejects.
   */
  ask(
    question: unknown,
    options: {
      readonly waitMs: number;
      readonly enough: (answers: ReadonlyMap<string, unknown>) => boolean;
    },
  ): Promise<ReadonlyMap<string, unknown>>;
}

/** A connection to the system through which backends and nodes speak. */
export interface Bus extends AsyncDisposable {
  /** What nodes ask each other. */
  readonly inquiries: Inquiries;

  /**
   * Starts to listen and returns at once. Called once. It waits for a server that is away, and
   * logs that.
   */
  listen(listener: BusListener): void;

  /**
   * Undefined while every source is known to be heard and the window is loaded; else one line that
   * says what is wrong, without secrets: the node is deaf.
   */
  readonly unhealthyReason: string | undefined;

  /** How each part is: `unhealthyReason` is what is wrong with the first that is not well. */
  readonly parts: readonly PartHealth[];

  /** How the server is reached, for the metrics. */
  readonly stats: BusStats;

  /** What could not be sent so far. */
  readonly failures: BusFailures;

  /**
   * Hands one envelope to every node, this one included: appended to the stream, or published where
   * the stream is off.
   * @returns the id of the stream's entry, undefined where the stream is off; for a repeat the first id
   * @throws {BusUnavailable} when the server refused it, or did not confirm within 2 seconds: then it
   * may have been delivered all the same. Without an idempotency key it is never sent again by itself.
   * @throws {IdempotencyConflict} when another envelope was published under this idempotency key
   */
  publish(envelope: string, options?: PublishOptions): Promise<string | undefined>;

  /**
   * Gives an order to every node, this one included.
   * @throws {BusUnavailable} as `publish` does; an order may be given again without harm
   */
  disconnect(order: DisconnectOrder): Promise<void>;

  /**
   * A position at least as new as everything that the server had acknowledged before the call: the
   * stream's part is the server's, the channel's a marker that was sent after the call, and undefined
   * where the channel is off or markers name no place on other nodes.
   * @throws {BusUnavailable} when it is not known within 2 seconds
   */
  cursor(): Promise<BroughtPosition>;

  /**
   * Has a marker of this node sent soon, beside the regular ones, at most one each 50 ms. Two of them
   * heard after a client came show that everything published before it came has been heard. Never
   * throws.
   */
  probe(): void;

  /**
   * Publishes a notice for backends: `payload` on `channel`.
   * @throws {BusUnavailable} as `publish` does.
   */
  notify(channel: string, payload: string): Promise<void>;
}

/** Another envelope was published under the same idempotency key within the last 5 minutes. */
export class IdempotencyConflict extends Error {
  override name = "IdempotencyConflict";
}

/** How often what failed to be sent, by the code of the reason, such as `NOPERM`. */
export interface BusFailures {
  /** Envelopes of the API. */
  readonly publishes: ReadonlyMap<string, number>;
  /** Notices. */
  readonly notices: ReadonlyMap<string, number>;
}

/** How a bus reaches its server, for the metrics. */
export interface BusStats {
  /** Connections that ended, and attempts that failed, by what they are for and why. */
  readonly connectionFailures: readonly ConnectionFailureCount[];
  /** How long the last marker of this node took to come back, in seconds; undefined before it has. */
  readonly probeSeconds: number | undefined;
  /** How far the node trails the end of the stream, in seconds; undefined where that is not known. */
  readonly streamLagSeconds: number | undefined;
}

/** The bus did not do what it was asked: its server refused, cannot be reached, or did not answer. */
export class BusUnavailable extends Error {
  override name = "BusUnavailable";
  /** Whether it was certainly not done (`refused`), or may have been (`unknown`). */
  readonly outcome: "refused" | "unknown";
  /** Why, in one line that begins with a code such as `OOM`, without hosts, users and contents. */
  readonly reason: string;

  constructor(outcome: "refused" | "unknown", reason: string) {
    super(`Redis ${outcome === "refused" ? "refused" : "did not confirm"}: ${reason}`);
    this.outcome = outcome;
    this.reason = reason;
  }
}
