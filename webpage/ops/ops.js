/** The operators' page: asks the node that serves it how all nodes are, every two seconds. */
import { ask, token } from "./api.js";
import { byId, element, keep, setText } from "./element.js";
import { Faults, showDrops } from "./faults.js";
import { bytes, clock, count, milliseconds, plural } from "./format.js";
import { nodeTable } from "./node_table.js";
import { showParts } from "./parts.js";
import { Plots } from "./plots.js";
import { recipientForm } from "./recipient.js";
import { stateOf } from "./states.js";
import { traceForm } from "./trace.js";

const EVERY_MS = 2_000;
const HISTORY_EVERY_MS = 10_000;
const HERE = ["ready", "starting", "draining", "deaf"];

const plots = new Plots(byId("plots"));
const table = nodeTable((id) => plots.point(id));
const faults = new Faults(byId("wrong"));
let timer;
let newest = 0;
let historyAt = -Infinity;

/** Asks once, shows the answer, and comes back while the page is seen. */
async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await ask("ops/overview");
    enter("view");
    show(answer);
    setText(byId("trouble"), "");
    if (performance.now() - historyAt >= HISTORY_EVERY_MS) {
      historyAt = performance.now();
      newest = plots.add(await ask(`ops/history?after=${newest}`));
    }
  } catch (error) {
    if (error.status === 401 || error.status === 403) return leave(error);
    byId("trouble").textContent ||= error.message;
    if (byId("view").hidden) {
      enter("gate");
      setText(byId("token-trouble"), error.message);
    }
    setText(byId("age"), `The figures are not new: no answer since ${clock(lastAt)}`);
  }
  if (!document.hidden) timer = setTimeout(refresh, EVERY_MS);
}

let lastAt = Date.now();

function show({ now, status, parts, nodes, drops, excerpts, advice }) {
  lastAt = now;
  setText(byId("age"), `As of ${clock(now)}`);
  const bad = nodes.filter((node) => stateOf(node).tone === "lost");
  setText(byId("summary"), summaryOf(nodes, bad));
  document.body.dataset.state = bad.length > 0 ? "lost" : status === "ready" ? "live" : "calm";
  document.title = bad.length > 0 ? `(${bad.length}) Keywire operations` : "Keywire operations";
  showTotals(nodes.filter(({ state }) => HERE.includes(state)));
  table.show(nodes, now);
  faults.show({ nodes, now, advice });
  showParts(byId("parts"), { parts, nodes, now });
  setText(byId("parts-hint"), `With their reasons as node ${nodes[0].name} sees them.`);
  showDrops(byId("drops"), drops);
  setText(
    byId("drops-hint"),
    drops.length === 0
      ? "None since it began."
      : excerpts
      ? "The newest first, with how they begin, as LOG_LEVEL is debug."
      : "The newest first. LOG_LEVEL=debug shows how they begin.",
  );
}

function summaryOf(nodes, bad) {
  if (bad.length === 0) {
    const ready = nodes.filter(({ state }) => state === "ready").length;
    return ready === nodes.length
      ? nodes.length === 1 ? "The node is ready" : `All ${nodes.length} nodes are ready`
      : `${ready} of ${plural(nodes.length, "node")} ready`;
  }
  const named = bad.slice(0, 2).map((node) =>
    `${node.name} is ${stateOf(node).word.toLowerCase()}`
  );
  const more = bad.length > 2 ? ` and ${bad.length - 2} more` : "";
  return `${bad.length} of ${plural(nodes.length, "node")} in trouble: ${named.join(", ")}${more}`;
}

function showTotals(nodes) {
  const sum = (read) => nodes.reduce((total, node) => total + (read(node) ?? 0), 0);
  const worst = (read) => Math.max(...nodes.map(read).filter(Number.isFinite));
  const totals = [
    ["Connections", count(sum(({ connections }) => connections))],
    ["Messages/s", count(worst(({ messagesPerSecond }) => messagesPerSecond))],
    ["Deliveries/s", count(sum(({ deliveriesPerSecond }) => deliveriesPerSecond))],
    ["Worst lag", milliseconds(worst(({ lagMs }) => lagMs))],
    ["Worst delay", milliseconds(worst(({ figures }) => figures?.loopDelayMs))],
    ["Backlog", bytes(sum(({ figures }) => figures?.backlogBytes))],
  ];
  keep(byId("totals"), totals, {
    key: ([name]) => name,
    make: ([name]) => element("div", {}, element("dt", {}, name), element("dd")),
    update: (shown, [, text]) => setText(shown.lastChild, text),
  });
}

/** Shows the part of the page with this id, and hides the other. */
function enter(id) {
  for (const one of ["gate", "view"]) byId(one).hidden = one !== id;
  byId("nav").hidden = id !== "view";
  byId("forget").hidden = id !== "view" || token.get() === null;
}

function leave({ status, message }) {
  const hadToken = token.get() !== null;
  token.forget();
  document.body.dataset.state = "gate";
  setText(byId("summary"), status === 403 ? "The API is closed" : "A token is needed");
  setText(byId("age"), "");
  setText(
    byId("token-trouble"),
    status === 403 ? message : hadToken ? "That is none of the tokens in API_TOKEN." : "",
  );
  byId("token-form").hidden = byId("token-hint").hidden = status === 403;
  enter("gate");
  byId("token").focus();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("token");
  token.set(field.value.trim());
  field.value = "";
  refresh();
});
byId("forget").addEventListener("click", () => {
  token.forget();
  location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !byId("view").hidden) refresh();
});
recipientForm(traceForm());
refresh();
