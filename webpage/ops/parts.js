import { element, keep, setText } from "./element.js";
import { duration } from "./format.js";
import { PARTS } from "./states.js";

/**
 * Shows each part as the answering node sees it, and which other nodes see it down.
 *
 * @param {HTMLElement} parent
 */
export function showParts(parent, { parts, nodes, now }) {
  const others = nodes.filter(({ isThis, state }) =>
    !isThis && ["ready", "starting", "draining", "deaf"].includes(state)
  );
  const names = new Set([
    ...Object.keys(parts),
    ...others.flatMap(({ figures }) => figures?.partsDown ?? []),
  ]);
  const rows = [...names].map((name) => {
    const here = parts[name];
    const downOn = others.filter(({ figures }) => figures?.partsDown.includes(name));
    return { name, here, downOn, others };
  });
  keep(parent, rows, {
    key: ({ name }) => name,
    make: () =>
      element(
        "li",
        {},
        element("b"),
        element("span", { className: "part-state" }),
        element("p", { className: "hint" }),
      ),
    update: (row, part) => {
      const [word, means] = PARTS[part.name] ?? [part.name, ""];
      const [name, state, hint] = row.children;
      const isDown = part.here?.status === "down" || part.downOn.length > 0;
      row.dataset.tone = isDown ? "lost" : "live";
      setText(name, word);
      setText(state, stateOf(part, now));
      const why = part.here?.reason;
      setText(hint, !isDown ? "" : sentences([why, means]));
    },
  });
}

function sentences(texts) {
  return texts.filter(Boolean).map((text) => `${text[0].toUpperCase()}${text.slice(1)}.`).join(" ");
}

function stateOf({ here, downOn, others }, now) {
  const since = here === undefined ? "" : ` for ${duration(now - Date.parse(here.since))}`;
  const all = others.length + 1;
  const downHere = here?.status === "down" ? 1 : 0;
  if (downOn.length + downHere === 0) return `Up${since}`;
  if (downOn.length + downHere === all) return `Down${since}${all > 1 ? ", on all nodes" : ""}`;
  const names = [...downHere ? ["this node"] : [], ...downOn.map(({ name }) => name)];
  return `Down on ${names.slice(0, 3).join(", ")}${
    names.length > 3 ? ` and ${names.length - 3} more` : ""
  }${downHere ? since : ""}`;
}
