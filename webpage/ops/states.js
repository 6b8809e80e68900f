import { clock, duration } from "./format.js";

/**
 * What a node can be: its word, its tone, and what it means and what to do.
 * @type {Record<string, { word: string, tone: "live" | "calm" | "lost", help: string }>}
 */
export const STATES = {
  ready: { word: "Ready", tone: "live", help: "" },
  starting: {
    word: "Starting",
    tone: "calm",
    help: "It does not take clients yet: it waits for Redis, or reads the window of the stream.",
  },
  draining: {
    word: "Draining",
    tone: "calm",
    help: "It was told to stop, and sends its clients to other nodes.",
  },
  stopped: { word: "Stopped", tone: "calm", help: "It drained and ended, as it was told to." },
  deaf: {
    word: "Deaf",
    tone: "lost",
    help:
      "It does not hear what backends send. Its /ready is 503, so a balancer sends new clients " +
      "elsewhere. Bring Redis back, or mend the way to it: the node connects by itself within 5 s.",
  },
  gone: {
    word: "Gone",
    tone: "lost",
    help:
      "Nothing listens at its address any more: its process ended without a word. Read the end " +
      "of its log, and start it again. Its clients resume on other nodes.",
  },
  frozen: {
    word: "Frozen",
    tone: "lost",
    help: "Its process takes connections and gives no answer: it is stopped, swaps, or its event " +
      "loop stands still. Restart it if that lasts.",
  },
  cut_off: {
    word: "Cut off",
    tone: "lost",
    help: "It answers at its address and does not reach Redis, so it hears nothing. Check the " +
      "network between that machine and Redis.",
  },
  silent: {
    word: "Silent",
    tone: "lost",
    help: "It does not renew its lease, and cannot be reached from here: its machine is down or " +
      "the network between is.",
  },
  unknown: {
    word: "Unknown",
    tone: "lost",
    help: "The registry in Redis cannot be read now. This is what was known last.",
  },
};

/** What each part is, and what it means when it is down. */
export const PARTS = {
  channel: ["Channel", "the subscription in Redis: without it, what backends PUBLISH is missed"],
  stream: ["Stream", "the reader of the stream in Redis: what comes is read when it is back"],
  writes: ["Writes", "whether Redis takes what the node writes: check its memory, disk and ACL"],
  notices: ["Notices", "whether Redis takes notices of who is there; each is tried again"],
  store: ["Key store", "MongoDB: without it new clients are refused, and connected ones stay"],
};

/** The name of a node's state, one that this page does not know, too. */
export function stateOf({ state }) {
  return STATES[state] ?? { word: state, tone: "calm", help: "" };
}

/** What is wrong with `node` and what to do, in sentences; empty where nothing is. */
export function helpFor(node, now) {
  const { state, trouble, figures, seenAt } = node;
  const sentences = [];
  const isHere = ["ready", "starting", "draining", "deaf"].includes(state);
  if (trouble && isHere) sentences.push(sentence(trouble));
  if (stateOf(node).help !== "") sentences.push(stateOf(node).help);
  const down = isHere && !trouble ? figures?.partsDown ?? [] : [];
  for (const name of down) {
    const [word, means] = PARTS[name] ?? [name, ""];
    sentences.push(`${word} is down: ${means}.`);
  }
  if (!isHere) sentences.push(`Seen last at ${clock(seenAt)}, ${duration(now - seenAt)} ago.`);
  return sentences.join(" ");
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
