/**
 * A transport turns HTTP requests into connections: it checks its own handshake, has the client
 * admitted, upgrades, and opens a connection with a {@link Sink} to write to.
 *
 * There is no `read`: what a client says is the transport's own affair (`ping`), and it goes nowhere.
 */
import type { Connection, Sink } from "../core/delivery/connection.ts";
import type { Format } from "../core/format.ts";
import type { Refusal } from "../http/refusals.ts";

export type { Connection, Sink };

/** A client whose key may connect now. It holds a slot, which the gateway gives back. */
export interface AdmittedClient {
  readonly key: string;
}

/** What a transport asks of the gateway. */
export interface Connector {
  /** What is wrong with the origin of a request that belongs to an open connection. */
  checkOrigin(request: Request): Refusal | undefined;
  /**
   * Checks everything but the handshake, in the order of the guarantees, and reserves a slot. Its last
   * step is whether the peer is still there: nothing may read `request.signal` before, and an upgrade
   * follows without a turn of the event loop between.
   */
  admit(request: Request, peer: string): Promise<AdmittedClient | Refusal>;
  /** The transport itself refuses a client, for `refusal`: counts that, and returns it. */
  refuse(refusal: Refusal): Refusal;
  /** Opens the connection: it is told `welcome`, what it missed and what comes. */
  open(client: AdmittedClient, sink: Sink, format: Format): Connection;
  /**
   * The peer is really gone, or was never there: ends the client's connection, if any, and gives its
   * slot back. The second call does nothing.
   */
  onPeerGone(client: AdmittedClient): void;
  /** The client asked for a sign of life, which is owed behind everything else. */
  onPing(connection: Connection): void;
  /** The client sent a text that means nothing. */
  onIgnoredText(): void;
}

/** How a request arrived. */
export interface RequestInfo {
  /** The address at the other end of its TCP connection. */
  readonly peer: string;
  /** Settles when the response was taken whole, or its peer is gone. */
  completed(): Promise<void>;
}

/** A place where requests arrive. */
export interface Transport {
  /** Answers `request`. Every refusal is an HTTP answer, before anything is upgraded. */
  handle(request: Request, info: RequestInfo): Response | Promise<Response>;
}
