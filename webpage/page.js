/** The page's wiring: the form that connects, what it shows of the connection, and the other parts. */
import { Keywire } from "./keywire.js";
import { clock, MessageList, number } from "./message_list.js";
import { prettyJson } from "./pretty_json.js";
import { sendForm } from "./send_form.js";
import { tapWebSocket } from "./tap_web_socket.js";
import { NativeEvents, PlainSocket, Polling } from "./transports.js";
import { Wire } from "./wire.js";

/** A longer message is shown as it came, and not whole, in the place that changes with each one. */
const MAX_SHOWN = 20_000;
const STATES = {
  idle: "Not connected",
  connecting: "Connecting",
  open: "Open",
  waiting: "Waiting to reconnect",
  offline: "Offline",
  closed: "Closed",
};
const NAMES = {
  auto: "automatic",
  websocket: "WebSocket",
  sse: "SSE",
  polling: "polling",
};

const element = (id) => document.getElementById(id);
const key = element("key");
const trouble = element("trouble");
const wire = new Wire(element("wire"));
const list = new MessageList({
  list: element("list"),
  empty: element("empty"),
  hold: element("hold"),
  older: element("older"),
  newer: element("newer"),
  clear: element("clear"),
  position: element("position"),
  announcer: element("announcer"),
});
const wanted = new URLSearchParams(location.search).get("gateway");
const gateway = gatewayUrl(wanted);
const config = await readConfig();
let line; // the connection, undefined where none is wanted
let last; // the last message's text, until it is shown

element("gateway").textContent = new URL(gateway).host;
key.value ||= config.demoKey ?? "";
const recipient = element("recipient");
const send = sendForm(element, { gateway, ...config });
followKey();
key.addEventListener("input", followKey);
element("connect-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (line === undefined) connect();
  else disconnect();
});
element("transports").addEventListener("change", () => {
  if (line === undefined) return;
  disconnect();
  connect();
});
element("cut").addEventListener("click", () => line?.cut());
element("clear").addEventListener("click", showCount);

function connect() {
  const transport = document.querySelector("[name=transport]:checked").value;
  trouble.textContent = "";
  element("heartbeat").textContent = "–";
  const now = line = makeLine(transport);
  const on = (type, listener) =>
    now.client.addEventListener(type, (event) => now === line && listener(event));
  on("state", ({ state, transport: used }) => showState(state, used ?? transport));
  on("message", ({ data, text = JSON.stringify(data) }) => showMessage(text));
  on("heartbeat", showHeartbeat);
  on("welcome", ({ recovered }) => showWelcome(recovered));
  on("gap", showGap);
  on("close", showClose);
  showState("connecting", transport);
}

function disconnect() {
  const { client } = line;
  line = undefined; // what the client says of its own end is no news
  client.close();
  list.addNote("Disconnected", "quiet");
  showState("closed");
}

/** A connection by `transport`: its client, and how to cut it. */
function makeLine(transport) {
  if (transport === "auto") {
    const tap = tapWebSocket(() => tap.beat());
    tap.beat = () => client.dispatchEvent(new Event("heartbeat"));
    const client = new Keywire(gateway, { key: key.value, transport, WebSocket: tap.WebSocket });
    return { client, cut: tap.cut };
  }
  const Transport = { websocket: PlainSocket, sse: NativeEvents, polling: Polling }[transport];
  const client = new Transport(gateway, key.value);
  return { client, cut: () => client.cut() };
}

function showState(state, transport) {
  if (state === "closed") line = undefined;
  if (state === "open") trouble.textContent = "";
  document.body.dataset.state = state;
  document.title = state === "idle" ? "Keywire" : `${STATES[state]} · Keywire`;
  element("state").textContent = STATES[state];
  element("transport").textContent = transport === undefined ? "–" : NAMES[transport] ?? transport;
  element("connect").textContent = line === undefined ? "Connect" : "Disconnect";
  element("connect").classList.toggle("primary", line === undefined);
  element("cut").disabled = state !== "open";
  key.readOnly = line !== undefined;
  wire.open = state === "open";
}

function showMessage(text) {
  wire.mark({ length: text.length });
  list.addMessage(text);
  if (last === undefined) requestAnimationFrame(showLast);
  last = text;
}

function showLast() {
  const block = element("last-text");
  element("last-empty").hidden = true;
  block.hidden = false;
  block.textContent = last.length > MAX_SHOWN ? last.slice(0, MAX_SHOWN) + "…" : prettyJson(last);
  last = undefined;
  showCount();
}

function showCount() {
  element("count").textContent = number(list.received);
}

function showHeartbeat() {
  element("heartbeat").textContent = clock(new Date());
}

function showWelcome(recovered) {
  line.welcomed = true;
  if (recovered === undefined) list.addNote("Connected", "quiet");
  else if (recovered) list.addNote("Back: caught up, nothing lost", "live");
  else list.addNote("Back", "quiet");
}

function showGap() {
  wire.mark({ tone: "lost" });
  list.addNote("May have missed messages: an application would fetch its state anew", "lost");
}

/** What ended, as one row; and what to do about it, where the connection does not come back as it was. */
function showClose({ status, code = status, reason, retry }) {
  const { host } = new URL(gateway);
  if (code === 4403) {
    reason = "The gateway has withdrawn this key: connect with another";
  } else if (code < 1 || code > 1000 && code < 4000) {
    reason = line.welcomed ? "The connection was lost" : `No answer from ${host}: is it running?`;
  }
  const text = code > 0 ? `${reason} (${code})` : reason;
  list.addNote(text, retry ? "quiet" : "lost");
  if (!retry || !line.welcomed) trouble.textContent = text;
  line.welcomed = false;
}

/** Messages are for the key itself, until another recipient is written down. */
function followKey() {
  if (recipient.value === (followKey.last ?? "")) {
    recipient.value = followKey.last = key.value;
  }
  send.update();
}

/** The gateway's address by HTTP, ending in a slash: where the page comes from, unless it says else. */
function gatewayUrl(text) {
  const here = new URL("./", location.href);
  here.search = here.hash = "";
  if (text === null) return here.href;
  const url = URL.parse(text.replace(/^ws/, "http"));
  if (url === null || !/^https?:$/.test(url.protocol)) {
    trouble.textContent = `?gateway= must be an address such as ws://localhost:8088: it is ${text}`;
    return here.href;
  }
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}

/** What a gateway says of itself to its own page; elsewhere, what it is by default. */
async function readConfig() {
  const config = {
    publish: false,
    channel: "my_channel",
    stream: "my_stream",
    demoKey: null,
  };
  if (wanted !== null) return config;
  try {
    const response = await fetch("./config.json");
    if (response.ok) return { ...config, ...await response.json() };
  } catch {
    // There is no gateway here either.
  }
  trouble.textContent = "No gateway serves this page: add ?gateway=ws://host:port to its address";
  return config;
}
