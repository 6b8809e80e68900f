/** A client of `keywire.v1` in this process that counts and keeps nothing. */
export interface Reader {
  readonly socket: WebSocket;
  /** Messages so far. */
  messages: number;
  /** When its first event came, in milliseconds of `performance.now()`; 0 before. */
  welcomedAt: number;
  /** Whether the server has closed it. */
  closed: boolean;
}

const MESSAGE = '"type":"message"';

/**
 * Connects, and resolves when the socket is open.
 * @param isBare whether the server speaks no subprotocol
 */
export async function connectReader(url: string, isBare = false): Promise<Reader> {
  const socket = new WebSocket(url, isBare ? [] : ["keywire.v1"]);
  const reader: Reader = { socket, messages: 0, welcomedAt: 0, closed: false };
  socket.onmessage = ({ data }) => {
    reader.welcomedAt ||= performance.now();
    const text = data as string;
    for (let at = text.indexOf(MESSAGE); at >= 0; at = text.indexOf(MESSAGE, at + 1)) {
      reader.messages++;
    }
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("a reader was refused"));
  });
  socket.onerror = () => {};
  socket.onclose = () => reader.closed = true;
  return reader;
}
