import { Keywire } from "../../webpage/keywire.js";
import type { Source } from "./publisher.ts";

/** How a client listens. */
export type Kind = "v1" | "SSE" | "plain";

/** Something that a client is told, or that happens to its connection. */
export interface Word {
  /** By `performance.now()`. */
  readonly at: number;
  readonly text: string;
  /** The sources of which it is told that something may be lost. */
  readonly lost?: readonly Source[];
}

/** A message that a client heard. */
export interface Arrival {
  /** By `performance.now()`. */
  readonly at: number;
  readonly source: Source;
  readonly n: number;
}

/** A client, and all that it hears and is told. */
export interface Witness extends Disposable {
  readonly kind: Kind;
  readonly arrivals: readonly Arrival[];
  readonly words: readonly Word[];
}

const PLAIN_RETRY_MS = 500;

/** Connects a client to `url`: keywire.js with its default settings, or a socket that comes back. */
export function openWitness(kind: Kind, url: string): Witness {
  return kind === "plain" ? openPlain(url) : openKeywire(kind, url);
}

function openKeywire(kind: Kind, url: string): Witness {
  const arrivals: Arrival[] = [];
  const words: Word[] = [];
  const say = (text: string, lost?: readonly Source[]) =>
    words.push({ at: performance.now(), text, ...lost === undefined ? {} : { lost } });
  const keywire = new Keywire(url, {
    key: "demo",
    transport: kind === "v1" ? "websocket" : "sse",
    gapJitterMs: 0,
  });
  keywire.addEventListener("message", ({ data }) => {
    const { source, n } = data as { source?: Source; n: number };
    if (source !== undefined) arrivals.push({ at: performance.now(), source, n });
  });
  keywire.addEventListener("gap", ({ sources }) => {
    const lost = [...sources ?? []] as Source[];
    say(`gap: ${lost.sort().join(", ")}`, lost);
  });
  keywire.addEventListener("welcome", ({ recovered }) => {
    if (recovered !== undefined) say(recovered ? "recovered" : "not recovered");
  });
  keywire.addEventListener("close", ({ code, retry }) => {
    const text = code >= 400 && code < 600 ? `refused ${code}` : `cut ${code}`;
    say(retry ? text : `${text}, for good`);
  });
  return { kind, arrivals, words, [Symbol.dispose]: () => keywire.close() };
}

function openPlain(url: string): Witness {
  const arrivals: Arrival[] = [];
  const words: Word[] = [];
  let socket: WebSocket;
  let timer: ReturnType<typeof setTimeout>;
  let isOver = false;
  const dial = () => {
    let wasOpen = false;
    socket = new WebSocket(`${url.replace("http", "ws")}/websocket?demo`);
    socket.onopen = () => wasOpen = true;
    socket.onerror = () => {};
    socket.onmessage = ({ data }) => {
      const { source, n } = JSON.parse(data) as { source?: Source; n: number };
      if (source !== undefined) arrivals.push({ at: performance.now(), source, n });
    };
    let ended = false;
    socket.onclose = ({ code }) => {
      if (ended || isOver) return; // the runtime may tell twice
      ended = true;
      words.push({ at: performance.now(), text: wasOpen ? `cut ${code}` : "refused" });
      timer = setTimeout(dial, PLAIN_RETRY_MS);
    };
  };
  dial();
  return {
    kind: "plain",
    arrivals,
    words,
    [Symbol.dispose]() {
      isOver = true;
      clearTimeout(timer);
      socket.close();
    },
  };
}
