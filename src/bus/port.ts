/**
 * The bus carries envelopes in and notices out.
 *
 * An implementation keeps listening through every fault of its server, until it is disposed. It
 * never throws out of a callback and never stops because of what a message says: whether a text is
 * a valid envelope is not its business.
 */

/** What the gateway hears from the bus. All calls come in the order of the source, one at a time. */
export interface BusListener {
  /** One envelope as it was published on the channel: not parsed, not checked. */
  message(text: string): void;
  /** Messages of the channel may have been lost: the subscription was broken and is back. */
  gap(): void;
}

/** A connection to the system through which backends and nodes speak. */
export interface Bus extends AsyncDisposable {
  /**
   * Starts to listen and returns at once. Called once. A server that is away is waited for.
   * Once the subscription stands, `status` is `up`.
   */
  listen(listener: BusListener): void;

  /** `up` when the subscription is known to stand, `down` when it is not (or not yet). */
  readonly status: "up" | "down";

  /**
   * Hands one envelope to every node, this one included.
   * @throws {BusUnavailable} when the server did not confirm within 2 seconds; it may have been
   * delivered all the same.
   */
  publish(envelope: string): Promise<void>;

  /**
   * Publishes a notice: `payload` on `channel`, once, for backends.
   * @throws {BusUnavailable} as `publish` does.
   */
  notify(channel: string, payload: string): Promise<void>;
}

/** The bus has no connection, or its server did not answer in time. */
export class BusUnavailable extends Error {
  override name = "BusUnavailable";
}
