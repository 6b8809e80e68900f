/** A line of a frame that answers a heartbeat. */
const PONG = /^\{"type":"pong"/m;
/** The beginning of a line that carries a message; what follows up to the last brace is its text. */
const MESSAGE = /^\{"type":"message","cursor":"([^"]*)","message":/;

/**
 * A WebSocket class that lets the page see what its client keeps to itself: the answers to its
 * heartbeats, the messages as they were written, and the connection, to cut it.
 *
 * @param {() => void} heard called at every answered heartbeat of `keywire.v1`
 */
export function tapWebSocket(heard) {
  let current;
  let texts = new Map(); // of the latest frame with messages, by cursor

  class TappedWebSocket extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      current = this;
      this.addEventListener("open", () => this.send("ping")); // the first answer, without a wait
      this.addEventListener("message", ({ data }) => {
        if (PONG.test(data)) heard();
        texts = new Map(messages(data));
      });
    }
  }

  return {
    WebSocket: TappedWebSocket,
    /** Ends the connection without a word, as a lost network does. */
    cut: () => current?.close(),
    /** The text of the message at `cursor`, as it was written; undefined where it came another way. */
    textAt: (cursor) => texts.get(cursor),
  };
}

function* messages(frame) {
  for (const line of frame.split("\n")) {
    const [begin, cursor] = MESSAGE.exec(line) ?? [];
    if (begin !== undefined) yield [cursor, line.slice(begin.length, -1)];
  }
}
