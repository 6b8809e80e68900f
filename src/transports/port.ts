/**
 * A transport turns HTTP requests into connections: it checks its own handshake, has the key admitted,
 * upgrades, and opens a connection with a {@link Sink} to write to.
 *
 * There is no `read`: what a client says is the transport's own affair (`ping`), and it goes nowhere.
 */
import type { Connection, Sink } from "../core/connection.ts";
import type { Format } from "../core/event.ts";
import type { Refusal } from "../core/refusals.ts";

export type { Connection, Sink };

/** A key that may connect now, and the place that was reserved for it. */
export interface Admission {
  readonly key: string;
  readonly recipients: readonly string[];
  /** The cursor that the client brought, as it wrote it. */
  readonly after: string | undefined;
  /** Gives the place back: to be called when the peer is really gone. The second call does nothing. */
  release(): void;
}

/** What a transport asks of the gateway. */
export interface Gateway {
  /** Checks everything but the handshake, in the order of the guarantees; reserves a place. */
  admit(request: Request, peer: string): Promise<Admission | Refusal>;
  /** Opens the connection: it is told `welcome`, what it missed and what comes. */
  open(admission: Admission, sink: Sink, format: Format): Connection;
  /** The client asked for a sign of life, which is owed behind everything else. */
  pong(connection: Connection): void;
  /** The client said something that means nothing here. */
  ignored(): void;
}

/** How a request arrived. */
export interface Arrival {
  /** The address at the other end of its TCP connection. */
  readonly peer: string;
  /** Settles when the response was taken whole, or its peer is gone. */
  completed(): Promise<void>;
}

/** A place where requests arrive. */
export interface Transport {
  /** Answers `request`. */
  handle(request: Request, arrival: Arrival): Response | Promise<Response>;
}
