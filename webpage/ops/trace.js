import { ask } from "./api.js";
import { byId, element } from "./element.js";
import { clock, plural } from "./format.js";
import { silentNodes, tried } from "./recipient.js";

/** What a message was to a connection. */
const OUTCOMES = {
  written: ["written", "as it came"],
  replayed: ["written", "out of the window, when the client resumed"],
  lost: ["not written", "it resumed, and was told gap: messages of this source may be lost"],
  later: ["not written", "it began behind the message, and did not ask for what it missed"],
  ended: ["not written", "it had ended before"],
  unattached: ["not written", "it had not caught up with what it missed"],
};

/** Why a node cannot tell. */
const ABSENT = {
  ahead: "has not heard it yet",
  evicted: "has it no longer: it is older than the window, or the window broke since",
  never: "never heard it: the stream has no such entry, or it was deleted",
  unknown: "cannot tell, as it has not heard the position that the cursor is counted from",
};

/** The form that asks all nodes why a message did not come. Returns how to fill it in. */
export function traceForm() {
  const answer = byId("trace-answer");
  const recipientField = byId("trace-recipient");
  const cursorField = byId("trace-cursor");
  byId("trace-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const recipient = recipientField.value;
    const question = { recipient, cursor: cursorField.value.trim() };
    const found = await tried(answer, () => ask("ops/trace", question));
    if (found === undefined) return;
    answer.replaceChildren(
      element("p", {}, element("b", {}, verdict(found.nodes, recipient))),
      ...found.nodes.flatMap(describeNode),
      ...silentNodes(found.silent),
    );
  });
  return (recipient, cursor) => {
    recipientField.value = recipient;
    if (cursor !== undefined) cursorField.value = cursor;
  };
}

/** What the nodes' answers come to, in a sentence or two. */
export function verdict(nodes, recipient) {
  const messages = nodes.flatMap(({ messages }) => messages);
  if (messages.length === 0) {
    return "That is no cursor and no id of an entry: copy one from an answer of POST /api/publish, " +
      "of XADD, or from the client.";
  }
  const here = messages.filter(({ state }) => state === "here");
  if (here.length === 0) {
    if (messages.every(({ state }) => state === "never")) {
      return "It was never appended to the stream, or was deleted from it.";
    }
    if (messages.some(({ state }) => state === "ahead")) return "No node has heard it yet.";
    return "No node knows it any more. HISTORY_SECONDS and HISTORY_BYTES say how far the window " +
      "reaches back.";
  }
  const named = here.filter(({ names }) => names === "recipient" || names === "everyone");
  if (named.length === 0) {
    const dropped = here.find(({ names }) => names !== "others");
    return dropped === undefined
      ? `It came, and does not name ${recipient}.`
      : `It came, and was dropped as malformed: ${dropped.names.replaceAll("_", " ")}.`;
  }
  const outcomes = named.flatMap(({ connections }) => connections ?? []);
  const written = outcomes.filter(({ outcome }) => outcome === "written" || outcome === "replayed");
  if (written.length > 0) {
    const cut = written.filter(({ code }) => code === 4408).length;
    return `It came, and was written to ${plural(written.length, "connection")} of ${recipient}.${
      cut > 0 ? ` ${plural(cut, "connection")} of these did not read it and was cut (4408).` : ""
    }`;
  }
  if (outcomes.some(({ outcome }) => outcome === "lost")) {
    return `It came, and ${recipient} was told that messages may be lost.`;
  }
  return outcomes.length === 0
    ? `It came, and ${recipient} had no connection that is on record.`
    : `It came while ${recipient} had no connection that heard it.`;
}

function describeNode({ name, messages, windowSince, recordSince, gaps }) {
  const lines = messages.map((message) => {
    if (message.state !== "here") {
      return element("li", {}, `${message.source}: this node ${ABSENT[message.state]}.`);
    }
    const rows = (message.connections ?? []).map(connectionRow);
    const text = `${message.source}: heard at ${clock(message.at)}${
      message.names === "everyone" ? ", for everyone" : ""
    }`;
    return element(
      "li",
      {},
      rows.length === 0 ? `${text}, no connection of this recipient on record.` : `${text}:`,
      ...rows.length > 0 ? [element("ul", { className: "list" }, ...rows)] : [],
    );
  });
  const reach = [
    windowSince === undefined ? "its window is empty" : `window since ${clock(windowSince)}`,
    `record of connections since ${clock(recordSince)}`,
    ...gaps.length > 0
      ? [`gaps: ${gaps.slice(-3).map(({ at, source }) => `${source} ${clock(at)}`).join(", ")}`]
      : [],
  ];
  return [
    element("h3", {}, name),
    element("p", { className: "hint" }, `${reach.join("; ")}.`),
    element("ul", { className: "list" }, ...lines),
  ];
}

function connectionRow({ transport = "a connection", openedAt, endedAt, code, outcome }) {
  const [word, why] = OUTCOMES[outcome] ?? [outcome, ""];
  const life = [
    openedAt === undefined ? "open before the record begins" : `opened ${clock(openedAt)}`,
    ...endedAt === undefined ? [] : [`ended ${clock(endedAt)} (${code})`],
  ].join(", ");
  return element(
    "li",
    {},
    element("b", { className: word === "written" ? "live" : "lost" }, word),
    ` to ${transport}, ${life}: ${why}`,
  );
}
