import { element, keep, setText } from "./element.js";
import { clock, count } from "./format.js";

/** Why connections are cut, and what to do, by close code; others are everyday. */
const CUTS = {
  1009: "a client sent a message larger than any that it has to send: is it a Keywire client?",
  4403: "the key was withdrawn, or a backend disconnected the recipient",
  4408: "the client did not read what it was sent: a bad line, a sleeping tab, or too much for it",
  4429: "the client sent more than 100 texts a second: look for a loop in it",
};
const GAPS = {
  channel: "the subscription broke, so that messages may have been missed: look for an outage of " +
    "Redis, or its client-output-buffer-limit pubsub",
  stream: "the stream was trimmed past a node, flushed or replaced: let it be longer than the " +
    "longest outage, and give Redis AOF or a replica",
};
const GROUPS = [
  ["refused", "Refused connects"],
  ["dropped", "Dropped envelopes"],
  ["closed", "Cut connections"],
  ["gaps", "Gaps"],
];
const MINUTE_MS = 60_000;

/** What went wrong on all nodes, by reason: how often, how often of late, and what to do about it. */
export class Faults {
  #parent;
  /** Counts of the last minute, the oldest first: [time, counts by name]. */
  #past = [];

  constructor(parent) {
    this.#parent = parent;
  }

  /** Shows the counts of all `nodes` together. */
  show({ nodes, now, advice }) {
    const counts = new Map();
    for (const { figures } of nodes) {
      for (const [group] of GROUPS) {
        for (const [reason, times] of Object.entries(figures?.[group] ?? {})) {
          if (group === "closed" && !(reason in CUTS)) continue;
          const name = `${group} ${reason}`;
          counts.set(name, (counts.get(name) ?? 0) + times);
        }
      }
    }
    this.#past.push([now, counts]);
    while (this.#past.length > 1 && this.#past[1][0] <= now - MINUTE_MS) this.#past.shift();
    const [, before] = this.#past[0];
    const helps = { ...advice, closed: CUTS, gaps: GAPS };
    const rows = GROUPS.flatMap(([group, title]) =>
      [...counts].filter(([name]) => name.startsWith(`${group} `))
        .sort((a, b) => b[1] - a[1])
        .map(([name, times]) => {
          const reason = name.slice(group.length + 1);
          const lately = times - (before.get(name) ?? 0);
          return { name, title, reason, times, lately, help: helps[group]?.[reason] ?? "" };
        })
    );
    keep(this.#parent, groupsOf(rows), {
      key: ({ title }) => title,
      make: ({ title }) =>
        element("section", { className: "faults" }, element("h3", {}, title), element("ul")),
      update: (section, { rows }) =>
        keep(section.lastChild, rows, {
          key: ({ name }) => name,
          make: makeRow,
          update: updateRow,
        }),
    });
    this.#parent.classList.toggle("none", rows.length === 0);
  }
}

function groupsOf(rows) {
  return [...Map.groupBy(rows, ({ title }) => title)].map(([title, rows]) => ({ title, rows }));
}

function makeRow({ reason }) {
  return element(
    "li",
    { className: "fault" },
    element("b", {}, reason.replaceAll("_", " ")),
    element("span", { className: "times" }),
    element("span", { className: "lately" }),
    element("p", { className: "hint" }),
  );
}

function updateRow(row, { times, lately, help }) {
  const [, total, recent, hint] = row.children;
  setText(total, count(times));
  setText(recent, lately > 0 ? `${count(lately)} in the last minute` : "");
  setText(hint, help === "" ? "" : help[0].toUpperCase() + help.slice(1));
}

/**
 * Shows the envelopes that the answering node dropped last.
 *
 * @param {HTMLElement} parent
 * @param {readonly { at: number, source: string, id: string, reason: string, excerpt?: string }[]} drops
 */
export function showDrops(parent, drops) {
  keep(parent, drops, {
    key: ({ at, id, reason }) => `${at} ${id} ${reason}`,
    make: ({ at, source, id, reason, excerpt }) =>
      element(
        "li",
        {},
        element("time", { dateTime: new Date(at).toISOString() }, clock(at)),
        element("span", {}, `${reason.replaceAll("_", " ")}, ${source} `, element("code", {}, id)),
        excerpt === undefined ? undefined : element("code", { className: "excerpt" }, excerpt),
      ),
    update: () => {},
  });
}
