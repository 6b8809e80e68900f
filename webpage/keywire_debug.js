// deno-lint-ignore-file no-console -- the console is what it writes to
/**
 * Explains on the console why a connection fails, in one sentence each: what `debug: true` loads.
 *
 * @module
 */

/** @import { Keywire, KeywireErrorEvent } from "./keywire.d.ts" */

/** What to do, by HTTP status or close code. @type {Record<number, string>} */
const EXPLANATIONS = {
  0: "Your `key` function gave no key: it must return one, or the session has ended.",
  400:
    "The gateway calls the request malformed: a key is 1 to 256 bytes without control characters.",
  401:
    "Something before the gateway asks for credentials of its own: let /websocket and /events through without them.",
  403:
    "The gateway does not know this key, or its ALLOWED_ORIGINS lacks this page's origin: check that the key is in MongoDB and has not expired.",
  404: "There is no Keywire at this address: the proxy must pass on /websocket and /events.",
  429:
    "This key or this address has too many connections: close clients that are not used, or raise MAX_CONNECTIONS_PER_KEY or MAX_CONNECTIONS_PER_IP.",
  503: "The gateway is starting, draining, full or without its MongoDB: its /ready says which.",
  1005: "The event stream ended: a proxy may cut long answers off.",
  1009: "The gateway got a message that is too large: clients only listen.",
  4403: "The key was withdrawn: its document is gone, expired or filtered out.",
  4408: "This page reads too slowly: what its listeners do with a message takes too long.",
  4429: "This page sent too many messages: clients only listen.",
};

/**
 * @param {Keywire<any, any>} keywire
 * @param {string} url where it asks for events by HTTP
 */
export function explain(keywire, url) {
  /** @param {string} text */
  const print = (text) => console.info(`Keywire: ${text}`);
  keywire.on("error", async ({ code, message }) => {
    const why = code === 1006 ? await explainSilence(url) : EXPLANATIONS[code];
    print(why === undefined ? message : `${message}. ${why}`);
  });
  keywire.on("close", ({ code, retry }) => {
    if (code === 1006 && retry && keywire.state === "open") {
      print(
        "The connection broke without a word (1006): the network went away, or a proxy has a time limit below 20 s.",
      );
    }
  });
  keywire.on("gap", ({ sources }) => {
    print(
      `Messages of the ${
        sources.join(" and the ")
      } may be lost since the gateway cannot prove otherwise (a gap): fetch your state anew.`,
    );
  });
}

/**
 * Why there is no answer that this page could read: a request whose answer it does not want to read
 * tells the two cases apart.
 * @param {string} url
 */
async function explainSilence(url) {
  const { origin, host } = new URL(url);
  const here = globalThis.location?.origin;
  if (here !== undefined && here !== origin) {
    try {
      await fetch(url, { mode: "no-cors", cache: "no-store" });
      return `${host} answers, but pages of ${here} may not read it (CORS): add ${here} to the gateway's ALLOWED_ORIGINS.`;
    } catch {
      // It does not answer at all.
    }
  }
  return `Nothing answers as a gateway at ${host}: check the address, and whether the gateway runs.`;
}
