import { byId, element, keep, setText } from "./element.js";
import { bytes, count, duration, milliseconds } from "./format.js";
import { hueOf } from "./hues.js";
import { helpFor, stateOf } from "./states.js";

/** From these on a figure stands out: milliseconds, and the part of its slots that a node has in use. */
const LATE_MS = 1_000;
const SLOW_MS = 250;
const FULL = 0.9;

/** The cells behind the name and the state: the column's name, its text, and whether it stands out. */
const CELLS = [
  ["Up for", ({ since }, now) => duration(now - since)],
  [
    "Connections",
    ({ connections }) => count(connections),
    ({ figures }) => (figures?.slots ?? 0) > FULL * (figures?.slotsMax ?? Infinity),
  ],
  ["Messages/s", ({ messagesPerSecond }) => count(messagesPerSecond)],
  ["Deliveries/s", ({ deliveriesPerSecond }) => count(deliveriesPerSecond)],
  ["Lag", ({ lagMs }) => milliseconds(lagMs), ({ lagMs }) => lagMs > LATE_MS],
  [
    "Loop delay",
    ({ figures }) => milliseconds(figures?.loopDelayMs),
    ({ figures }) => figures?.loopDelayMs > SLOW_MS,
  ],
  [
    "Redis probe",
    ({ figures }) => milliseconds(figures?.probeMs),
    ({ figures }) => figures?.probeMs > SLOW_MS,
  ],
  ["Backlog", ({ figures }) => bytes(figures?.backlogBytes)],
  ["Memory", ({ figures }) => bytes(figures?.memoryBytes)],
  ["Version", ({ version }) => version],
];
/** What of a node that does not answer is still true. */
const LASTING = new Set(["Version"]);

/**
 * The table of all nodes.
 *
 * @param {(id: string | undefined) => void} onPoint told which node the pointer or the focus is on
 */
export function nodeTable(onPoint) {
  const table = byId("nodes");
  table.addEventListener("pointerleave", () => onPoint(undefined));
  return {
    /** Shows the nodes as they are at `now`. */
    show(nodes, now) {
      keep(tableBodies(table), nodes, {
        key: ({ id }) => id,
        make: (node) => makeNode(node, onPoint),
        update: (body, node) => update(body, node, now),
      });
    },
  };
}

/** A node is a `tbody` of its own, so that what is to be said of it belongs to it. */
function tableBodies(table) {
  return {
    get children() {
      return [...table.tBodies];
    },
    get firstElementChild() {
      return table.tBodies[0] ?? null;
    },
    insertBefore: (body, place) => table.insertBefore(body, place),
  };
}

function makeNode(node, onPoint) {
  const name = element("th", { scope: "row" }, element("span", { className: "chip" }));
  name.firstChild.style.setProperty("--hue", hueOf(node.id));
  name.append(element("b"), element("small"));
  const state = element("td", { className: "node-state" }, element("span"));
  state.dataset.name = "State";
  const row = element("tr", { className: "node" }, name, state);
  for (const [column] of CELLS) {
    const cell = element("td");
    cell.dataset.name = column;
    row.append(cell);
  }
  const help = element("td", { colSpan: CELLS.length + 2 });
  const body = element("tbody", {}, row, element("tr", { className: "help" }, help));
  body.addEventListener("pointerenter", () => onPoint(node.id));
  return body;
}

function update(body, node, now) {
  const [row, helpRow] = body.rows;
  const [name, state, ...cells] = row.cells;
  const { word, tone } = stateOf(node);
  body.dataset.tone = tone;
  body.dataset.state = node.state;
  setText(name.querySelector("b"), node.name);
  setText(name.querySelector("small"), node.isThis ? `${placeOf(node)}, this one` : placeOf(node));
  setText(state.firstChild, word);
  const isHere = ["ready", "starting", "draining", "deaf"].includes(node.state);
  CELLS.forEach(([column, text, isLoud], at) => {
    const isTold = isHere || LASTING.has(column);
    setText(cells[at], isTold ? text(node, now) : "–");
    cells[at].classList.toggle("untold", !isTold);
    cells[at].classList.toggle("loud", isHere && (isLoud?.(node) ?? false));
  });
  const help = helpFor(node, now);
  helpRow.hidden = help === "";
  setText(helpRow.cells[0], help);
}

function placeOf({ address }) {
  return address.startsWith("unknown:") ? `port ${address.slice(8)}` : address;
}
