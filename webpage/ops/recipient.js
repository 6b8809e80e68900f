import { ask } from "./api.js";
import { byId, element, setText } from "./element.js";
import { bytes, clock, duration, plural } from "./format.js";

/** How long a second press may take to confirm the first, in milliseconds. */
const CONFIRM_MS = 5_000;

/**
 * The form that looks a recipient up, disconnects it and sends it a test message.
 *
 * @param {(recipient: string, cursor?: string) => void} onSent told what was sent, to be traced
 */
export function recipientForm(onSent) {
  const answer = byId("recipient-answer");
  const actions = byId("recipient-actions");
  const disconnect = byId("disconnect");
  let recipient = "";
  let isSure;

  const lookUp = async () => {
    const found = await tried(answer, () => ask("ops/recipient", { recipient }));
    actions.hidden = found === undefined;
    if (found !== undefined) answer.replaceChildren(...describe(found));
  };
  const calm = () => {
    clearTimeout(isSure);
    isSure = undefined;
    disconnect.classList.remove("sure");
    setText(disconnect, "Disconnect");
  };

  byId("recipient-form").addEventListener("submit", (event) => {
    event.preventDefault();
    recipient = byId("recipient").value;
    calm();
    setText(byId("disconnected"), "");
    setText(byId("tested"), "");
    lookUp();
  });
  disconnect.addEventListener("click", async () => {
    if (isSure === undefined) {
      isSure = setTimeout(calm, CONFIRM_MS);
      disconnect.classList.add("sure");
      return setText(disconnect, "Press again to disconnect");
    }
    calm();
    const status = byId("disconnected");
    const done = await tried(status, () => ask("disconnect", { recipients: [recipient] }));
    if (done === undefined) return;
    setText(
      status,
      "Closed on every node. It is a kick, not a ban: to keep it out, remove its key.",
    );
    await lookUp();
  });
  byId("test-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = byId("tested");
    const envelope = envelopeFor(recipient, byId("test").value);
    if (envelope === undefined) {
      return setText(status, "It must be a JSON object without recipients: {…}");
    }
    const sent = await tried(status, () => ask("publish", envelope));
    if (sent === undefined) return;
    setText(status, sent.online > 0 ? "Sent: it is online." : "Sent, but it is not online.");
    onSent(recipient, sent.cursor);
  });
}

/**
 * What `question` answers; what is wrong is written into `place`.
 *
 * @param {HTMLElement} place
 * @param {() => Promise<any>} question
 */
export async function tried(place, question) {
  try {
    return await question();
  } catch (error) {
    place.replaceChildren(element("span", { className: "lost" }, error.message));
    return undefined;
  }
}

/** Names the nodes that gave no answer, where there are any. */
export function silentNodes(silent) {
  if (silent.length === 0) return [];
  const names = silent.map(({ name, address }) => `${name} (${address})`).join(", ");
  return [element("p", { className: "lost" }, `No answer within a second from ${names}.`)];
}

function describe({ nodes, silent, presence }) {
  const sockets = presence?.sockets ?? 0;
  const found = nodes.reduce((sum, { count }) => sum + count, 0);
  const head = presence === undefined
    ? `${plural(found, "connection")} on the nodes that answer. The registry cannot be asked now.`
    : sockets === 0 && found === 0
    ? "It is not connected."
    : presence === null || presence.since === undefined
    ? `${plural(found, "connection")}.`
    : `${plural(sockets, "connection")}, online since ${clock(presence.since)}.`;
  const rows = nodes.flatMap(({ name, count, connections }) => [
    ...connections.map((connection) => connectionRow(name, connection)),
    ...count > connections.length
      ? [element("li", { className: "hint" }, `and ${count - connections.length} more on ${name}`)]
      : [],
  ]);
  return [
    element("p", {}, element("b", {}, head)),
    ...rows.length > 0 ? [element("ul", { className: "list" }, ...rows)] : [],
    ...silentNodes(silent),
  ];
}

function connectionRow(name, { transport, since, backlogBytes, attached }) {
  const facts = [
    since === undefined
      ? "connected before the record begins"
      : `since ${clock(since)} (${duration(Date.now() - since)})`,
    backlogBytes > 0 ? `${bytes(backlogBytes)} wait for it` : "nothing waits for it",
    ...attached ? [] : ["is being read what it missed"],
  ];
  return element("li", {}, element("b", {}, name), ` ${transport}, ${facts.join(", ")}`);
}

/** The envelope, with the text of the message left as it is; undefined where it is none. */
function envelopeFor(recipient, text) {
  try {
    const value = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject || Object.hasOwn(value, "recipients")) return undefined;
  } catch {
    return undefined;
  }
  const members = text.trim().slice(1).trimStart();
  const comma = members === "}" ? "" : ",";
  return `{"recipients":${JSON.stringify([recipient])}${comma}${members}`;
}
