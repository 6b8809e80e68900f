/**
 * Replays the transcripts of docs/protocol.md against a gateway: their lines are what a client sends
 * and gets. Cursors and waiting times differ from run to run, so a cursor stands for whatever the
 * gateway gave in its place first, and must then be the same wherever it stands.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { publish } from "./clients.ts";
import type { KeywireProcess } from "./gateway.ts";
import { waitFor } from "./wait.ts";

const CURSOR = /\d+-\d+~[\w-]*~\d+|\d{13}-\d+/;
const WAIT = /(retry: |"retryMs":)\d+/g;

/** A line of a transcript, and what stands before its text. */
interface Line {
  readonly mark: string;
  readonly text: string;
}

/** A connection, or a request, as the client sees it. */
interface Peer {
  /** What came and was not compared yet, line by line. */
  readonly lines: string[];
  /** How the server closed, once it has. */
  readonly ending: Promise<string>;
  send(text: string): void;
  close(): void;
}

/**
 * Replays one transcript.
 * @throws {AssertionError} at the first line that is not what happens
 */
export async function replayTranscript(transcript: string, gateway: KeywireProcess): Promise<void> {
  const cursors = new Map<string, string>();
  const actual = (text: string) =>
    text.replace(new RegExp(CURSOR, "g"), (cursor) => cursors.get(cursor) ?? cursor);
  const lines = parse(transcript);
  let peer: Peer | undefined;
  for (let at = 0; at < lines.length; at++) {
    const { mark, text } = lines[at]!;
    if (["WS", "SSE", "HTTP"].includes(mark)) {
      peer?.close();
      const details: Line[] = [];
      for (; ["header", ">"].includes(lines[at + 1]?.mark ?? "") && mark !== "WS"; at++) {
        details.push(lines[at + 1]!);
      }
      peer = await OPEN[mark as keyof typeof OPEN](gateway.url, actual(text), details);
    } else if (mark === "=") assertEquals((await publish(gateway.url, text)).status, 202);
    else if (mark === "!") gateway.kill(text as Deno.Signal);
    else if (mark === "close") peer?.close();
    else if (mark === ">") peer!.send(text);
    else if (mark === "x") assertEquals(await peer!.ending, text);
    else await expectLine(peer!, text, cursors);
  }
  const left = peer?.lines.filter((line) => line !== "") ?? [];
  peer?.close();
  assertEquals(left, [], `more came than the transcript says:\n${transcript}`);
}

async function expectLine(
  { lines }: Peer,
  text: string,
  cursors: Map<string, string>,
): Promise<void> {
  await waitFor(`the line ${text}`, () => lines.length > 0);
  const line = lines.shift()!;
  const expected = text.split(new RegExp(`(${CURSOR.source})`));
  const pattern = expected.map((part, index) =>
    index % 2 === 1 ? `(${CURSOR.source})` : RegExp.escape(part.replace(WAIT, "$1<wait>"))
  ).join("");
  const seen = line.replace(WAIT, "$1<wait>");
  assertMatch(seen, new RegExp(`^${pattern}$`));
  const found = new RegExp(`^${pattern}$`).exec(seen)!.slice(1);
  for (const [index, cursor] of found.entries()) {
    const name = expected[2 * index + 1]!;
    const known = cursors.get(name);
    if (known === undefined) cursors.set(name, cursor);
    else assertEquals(cursor, known, `${name} of ${text}`);
  }
}

function parse(transcript: string): Line[] {
  return transcript.split("\n").filter((line) => line !== "").map((line) => {
    if (line.startsWith("  ")) return { mark: "header", text: line.trim() };
    const [, mark = "", text = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    return { mark, text };
  });
}

const OPEN = {
  WS(url: string, text: string): Promise<Peer> {
    const [, path = "", protocols = ""] = /^(\S+) ?(.*)$/.exec(text) ?? [];
    const socket = new WebSocket(
      url.replace("http", "ws") + path,
      protocols === "" ? [] : protocols.split(", "),
    );
    const lines: string[] = [];
    socket.onmessage = ({ data }) => lines.push(...data.split("\n"));
    const ending = new Promise<string>((resolve) => {
      socket.onclose = ({ code, reason }) => resolve(`${code} ${reason}`);
    });
    const { promise, resolve, reject } = Promise.withResolvers<Peer>();
    socket.onopen = () =>
      resolve({
        lines,
        ending,
        send: (text) => socket.send(text),
        close: () => socket.close(),
      });
    socket.onerror = () => reject(new Error(`${text} was refused`));
    return promise;
  },

  async SSE(url: string, path: string, details: readonly Line[]): Promise<Peer> {
    const abort = new AbortController();
    const response = await fetch(url + path, {
      headers: { Accept: "text/event-stream", ...headersOf(details) },
      signal: abort.signal,
    });
    const lines: string[] = [];
    const ending = (async () => {
      let rest = "";
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + text).split("\n");
        rest = parts.pop()!;
        lines.push(...parts);
      }
      return "end";
    })().catch(() => "cut");
    return { lines, ending, send: () => {}, close: () => abort.abort() };
  },

  // deno-lint-ignore require-await -- its answer is waited for later, as it may take its time
  async HTTP(url: string, text: string, details: readonly Line[]): Promise<Peer> {
    const [method = "GET", path = ""] = text.split(" ");
    const body = details.find(({ mark }) => mark === ">")?.text;
    const lines: string[] = [];
    const request = { method, headers: headersOf(details), ...body === undefined ? {} : { body } };
    const ending = fetch(url + path, request).then(async (response) => {
      lines.push(`${response.status}`);
      if (!response.ok) lines.push(`Content-Type: ${response.headers.get("Content-Type")}`);
      const answer = await response.text();
      if (answer !== "") lines.push(answer);
      return "end";
    });
    return { lines, ending, send: () => {}, close: () => {} };
  },
};

function headersOf(details: readonly Line[]): Record<string, string> {
  return Object.fromEntries(
    details.filter(({ mark }) => mark === "header").map(({ text }) => text.split(/: (.*)/)),
  );
}
