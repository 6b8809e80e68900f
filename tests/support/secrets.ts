/** Secrets that must not show, in any of their spellings, and a client that presents them everywhere. */
import { assert } from "@std/assert";
import { handshake } from "./clients.ts";
import type { KeywireProcess } from "./gateway.ts";

/** The token of the gateways that are asked. */
export const TOKEN = "the-token-of-the-backend-of-the-tests";
/** Every key begins so: a part of one would show, too. */
export const STEM = "s3cret";
/** A key, of which each spelling differs from the others. */
export const keyOf = (name: string) => `${STEM}"+/?>ü ${name}=`;

/** Every spelling in which a secret could show. */
function spellingsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const escapes = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const base64 = bytes.toBase64();
  const percent = encodeURIComponent(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    percent,
    percent.replace(/%../g, (escape) => escape.toLowerCase()),
    encodeURI(secret),
    escapes,
    escapes.toUpperCase(),
    base64,
    base64.replace(/=+$/, ""),
    bytes.toBase64({ alphabet: "base64url" }),
    bytes.toBase64({ alphabet: "base64url", omitPadding: true }),
    bytes.toHex(),
    String.fromCharCode(...bytes),
  ];
}

/** Asserts that `places`, texts by the names of where they were found, show none of `secrets`. */
export function assertHidden(
  places: Readonly<Record<string, string>>,
  secrets: readonly string[],
): void {
  const spellings = new Set(secrets.flatMap(spellingsOf));
  for (const [place, text] of Object.entries(places)) {
    assert(text.length > 100, `${place} holds next to nothing: ${text}`);
    for (const spelling of spellings) {
      const at = text.indexOf(spelling);
      const around = text.slice(Math.max(0, at - 200), at + 200);
      assert(at === -1, `${place} shows ${spelling}: ${around}`);
    }
  }
}

const base64Url = (key: string) =>
  new TextEncoder().encode(key).toBase64({ alphabet: "base64url", omitPadding: true });
/** A key for a header, whose text holds a byte in each of its characters. */
export const bytesOf = (key: string) => String.fromCharCode(...new TextEncoder().encode(key));
const textOf = (bytes: string) =>
  new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
/** A key in each way in which a client can present it: a query and headers. */
export const presented = (key: string): [query: string, headers: Record<string, string>][] => [
  [encodeURIComponent(key), {}],
  [`key=${encodeURIComponent(key).toLowerCase()}`, {}],
  [`after=${base64Url(key)}&key=${encodeURIComponent(key)}`, {}],
  ["", { Authorization: `Bearer ${bytesOf(key)}` }],
  ["", { "Sec-WebSocket-Protocol": `keywire.v1, key.${base64Url(key)}` }],
];

/** Asks a gateway by HTTP, and keeps every answer with its headers. */
export class Asker {
  readonly answers: string[] = [];
  readonly #gateway: KeywireProcess;

  constructor(gateway: KeywireProcess) {
    this.#gateway = gateway;
  }

  /** Asks for `path`; returns the status. */
  async ask(path: string, init: RequestInit = {}): Promise<number> {
    const response = await fetch(`${this.#gateway.url}${path}`, init);
    this.answers.push([...response.headers].join("\n"), await response.text());
    return response.status;
  }

  /** Asks the API, with a token. */
  post(path: string, body: string, type = "application/json"): Promise<number> {
    const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": type };
    return this.ask(`/api/${path}`, { method: "POST", headers, body });
  }

  /** Sends a WebSocket handshake by hand; returns the status. */
  async shake(path: string, headers: Record<string, string> = {}): Promise<number> {
    // It is written as UTF-8 there.
    const texts = Object.entries(headers).map(([name, value]) => [name, textOf(value)]);
    const { status, text } = await handshake(this.#gateway.port, path, Object.fromEntries(texts));
    this.answers.push(text);
    return status;
  }
}

/** Presents `key` on every route, in every way, by every method. */
export async function tryEverywhere(asker: Asker, key: string): Promise<void> {
  for (const [query, headers] of presented(key)) {
    for (const path of ["/websocket", "/events", "/", "/health", "/ready", "/config.json"]) {
      for (const method of ["GET", "POST", "OPTIONS", "PUT", "HEAD"]) {
        const more = method === "OPTIONS" ? { "Access-Control-Request-Method": "GET" } : {};
        await asker.ask(`${path}?${query}`, { method, headers: { ...headers, ...more } });
      }
    }
    await asker.ask(`/websocket?${query}`, {
      headers: { ...headers, "X-Socket-Transport": "xhrPolling" },
    });
    for (const path of ["/api/cursor", "/api/nothing", "/openapi.json", "/metrics"]) {
      await asker.ask(`${path}?${query}`, { headers });
    }
    await asker.shake(`/websocket?${query}`, { ...headers, Origin: "https://other.example" });
    await asker.shake(`/websocket?${query}`, { ...headers, "Sec-WebSocket-Version": "12" });
  }
  await asker.ask(`/${encodeURIComponent(key)}`);
}
