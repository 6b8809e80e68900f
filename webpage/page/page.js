/** The page's wiring: the form that connects, what it shows of the connection, and the other parts. */
import { breakIt } from "./break_it.js";
import { connectBy } from "./connect_by.js";
import { detail } from "./detail.js";
import { exportMessages } from "./export_messages.js";
import { gatewayUrl } from "./gateway_url.js";
import { MessageList, number } from "./message_list.js";
import { clock } from "./message_row.js";
import { sendForm } from "./send_form.js";
import { Wire } from "./wire.js";

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

/** Close codes of a gateway that goes away or restarts. */
const SENT_AWAY = [1000, 1001, 1012];

const element = (id) => document.getElementById(id);
const key = element("key");
const trouble = element("trouble");
const recipient = element("recipient");
const wire = new Wire(element("wire"));
const list = new MessageList({
  list: element("list"),
  empty: element("empty"),
  filter: element("filter"),
  hold: element("hold"),
  older: element("older"),
  newer: element("newer"),
  clear: element("clear"),
  position: element("position"),
  pager: element("pager"),
  announcer: element("announcer"),
});
const { url: gateway, named, trouble: wrongUrl } = gatewayUrl(location.href);
const { host } = new URL(gateway);
if (wrongUrl !== undefined) trouble.textContent = wrongUrl;
const config = await readConfig();
const tally = { recovered: 0, gaps: 0, shown: 0 };
let connection; // undefined where none is wanted

element("gateway").textContent = host;
element("gateway").title = gateway;
key.value ||= config.demoKey ?? "";
const send = sendForm(element, { gateway, ...config });
const breaker = breakIt(element, {
  gateway,
  restart: config.restart,
  cut: () => connection?.cut(),
  recipient: () => connection?.key ?? key.value,
});
detail(element, list, send.send);
followKey();
key.addEventListener("input", () => {
  followKey();
  showButton();
});
element("connect-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const isOther = connection !== undefined && connection.key !== key.value;
  if (connection !== undefined) disconnect();
  else return connect();
  if (isOther) connect();
});
element("transports").addEventListener("change", () => {
  if (connection === undefined) return;
  disconnect();
  connect();
});
element("export").addEventListener("click", () => exportMessages(list.messages));
list.addEventListener("clear", showCount);
setInterval(showRate, 1_000);
// The embedded store's own key is no secret, and what one wants to see first is that it works.
if (config.demoKey !== null && key.value === config.demoKey) connect();

function connect() {
  const transport = element("transports").value;
  trouble.textContent = "";
  element("heartbeat").textContent = "–";
  const now = connection = {
    key: key.value,
    welcomed: false,
    everWelcomed: false,
    ...connectBy(transport, {
      gateway,
      key: key.value,
      onHeartbeat: () => now === connection && beat(),
    }),
  };
  const on = (type, listener) =>
    now.client.addEventListener(type, (event) => now === connection && listener(event));
  on("state", ({ state, transport: used }) => showState(state, used ?? transport));
  on("message", (event) => showMessage(now.textOf(event)));
  on("welcome", ({ recovered }) => showWelcome(recovered));
  on("gap", ({ sources }) => showGap(sources));
  on("close", showClose);
  showState("connecting", transport);
}

function disconnect() {
  const { client } = connection;
  connection = undefined; // what the client says of its own end is no news
  client.close();
  list.addNote("Disconnected", "quiet");
  showState("closed");
}

function showState(state, transport) {
  if (state === "closed") {
    connection = undefined;
    breaker.over();
  }
  if (state === "open") trouble.textContent = "";
  document.body.dataset.state = state;
  document.title = state === "idle" ? "Keywire" : `${STATES[state]} · Keywire`;
  element("state").textContent = STATES[state];
  element("transport").textContent = transport === undefined ? "–" : NAMES[transport] ?? transport;
  wire.open = breaker.open = state === "open";
  showButton();
}

function showButton() {
  const goesOn = connection !== undefined && connection.key === key.value;
  element("connect").textContent = goesOn ? "Disconnect" : "Connect";
  element("connect").classList.toggle("primary", !goesOn);
}

function showMessage(text) {
  wire.count();
  list.addMessage(text);
  breaker.message(text);
  tally.shown ||= requestAnimationFrame(() => {
    tally.shown = 0;
    showCount();
    showRate();
  });
}

function showCount() {
  element("count").textContent = number(list.received);
}

function showRate() {
  const { rate } = wire;
  element("rate").textContent = `${
    rate < 10 ? Number(rate.toFixed(1)) : number(Math.round(rate))
  }/s`;
}

function beat() {
  element("heartbeat").textContent = clock(new Date());
}

function showWelcome(recovered) {
  connection.welcomed = connection.everWelcomed = true;
  if (recovered) {
    tally.recovered++;
    wire.mark("live");
    showRecovery();
  }
  if (recovered === undefined) list.addNote("Connected", "quiet");
  else if (recovered) list.addNote("Back: caught up, nothing lost", "live");
  else list.addNote("Back", "quiet");
  breaker.welcome(recovered);
}

function showGap(sources = []) {
  tally.gaps++;
  wire.mark("lost");
  showRecovery();
  const of = sources.length === 1 ? ` of the ${sources[0]}` : "";
  list.addNote(`May have missed messages${of}: an application would fetch its state anew`, "lost");
}

function showRecovery() {
  const { recovered, gaps } = tally;
  const lost = gaps === 1 ? "1 gap" : `${gaps} gaps`;
  element("recovery").textContent = gaps === 0
    ? `${recovered} caught up`
    : recovered === 0
    ? lost
    : `${recovered} back, ${lost}`;
  element("recovery").className = gaps > 0 ? "lost" : "live";
}

/** What ended, as one row; and what to do about it, where the connection does not come back as it was. */
function showClose({ status, code = status, reason, retry }) {
  if (code === 4403) {
    reason = "The gateway has withdrawn this key: connect with another";
  } else if (SENT_AWAY.includes(code)) {
    reason = "The gateway sent its clients away, to come back";
  } else if (code < 1 || code > 1000 && code < 4000) {
    reason = connection.welcomed
      ? "The connection was lost"
      : `No answer from ${host}: is it running?`;
  }
  const text = code > 0 ? `${reason} (${code})` : reason;
  list.addNote(text, retry ? "quiet" : "lost", connection.welcomed ? undefined : "attempt");
  // While it comes back by itself, the row says all: the rest of the page stays where it is.
  if (!retry || !connection.everWelcomed) trouble.textContent = text;
  connection.welcomed = false;
}

/** Messages are for the key itself, until another recipient is written down. */
function followKey() {
  if (recipient.value === (followKey.last ?? "")) {
    recipient.value = followKey.last = key.value;
  }
  send.update();
}

/** What a gateway says of itself to its own page; elsewhere, what it is by default. */
async function readConfig() {
  const config = {
    publish: false,
    publishOff: named ? "elsewhere" : "token",
    restart: false,
    channel: "my_channel",
    stream: "my_stream",
    demoKey: null,
  };
  if (named) return config;
  try {
    const response = await fetch("./config.json");
    if (response.ok) return { ...config, ...await response.json() };
  } catch {
    // There is no gateway here either.
  }
  trouble.textContent = "No gateway serves this page: add ?gateway=ws://host:port to its address";
  return { ...config, publishOff: "elsewhere" };
}
