/** A line of a frame that answers a heartbeat. */
const PONG = /^\{"type":"pong"/m;

/**
 * A WebSocket class that lets the page see what its client keeps to itself: the answers to its
 * heartbeats, and the connection, to cut it.
 *
 * @param {() => void} heard called at every answered heartbeat of `keywire.v1`
 */
export function tapWebSocket(heard) {
  let current;

  class TappedWebSocket extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      current = this;
      this.addEventListener("open", () => this.send("ping")); // the first answer, without a wait
      this.addEventListener("message", ({ data }) => {
        if (PONG.test(data)) heard();
      });
    }
  }

  return {
    WebSocket: TappedWebSocket,
    /** Ends the connection without a word, as a lost network does. */
    cut: () => current?.close(),
  };
}
