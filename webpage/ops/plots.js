/* global uPlot */
import { element, setText } from "./element.js";
import { bytes, clock, count, milliseconds } from "./format.js";
import { hueOf, lineColor } from "./hues.js";

const STEP_MS = 10_000;
const POINTS = 360;
/** A node that has just begun is shown so far back. */
const LEAST_POINTS = 60;
const HEIGHT = 132;
/** Lines of more nodes than these are thinner. */
const MANY = 8;

/** A plot each: its title, how its figures read, and what its head tells of all nodes together. */
const PLOTS = {
  connections: ["Connections", count, sum],
  messagesPerSecond: ["Messages/s", count, highest],
  deliveriesPerSecond: ["Deliveries/s", count, sum],
  lagMs: ["Lag behind the stream", milliseconds, worst],
  loopDelayMs: ["Event loop delay", milliseconds, worst],
  memoryBytes: ["Memory", bytes, worst],
};

/**
 * The plots of the last hour, a line a node.
 *
 * @param {HTMLElement} parent
 */
export class Plots {
  #parent;
  /** By the names of the series. */
  #plots = new Map();
  /** The nodes' samples by their ids: the times, and the values by the names of the series. */
  #nodes = new Map();
  #lines = "";
  #pointed;
  #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor(parent) {
    this.#parent = parent;
    for (const [name, [title]] of Object.entries(PLOTS)) {
      const told = element("p", { className: "told" });
      const at = element("p", { className: "hint" });
      const box = element("div", { className: "plot-box", "aria-hidden": "true" });
      const head = element("div", { className: "plot-head" }, element("h3", {}, title), at, told);
      parent.append(element("figure", { className: "plot" }, head, box));
      this.#plots.set(name, { told, at, box, plot: undefined });
    }
    this.#dark.addEventListener("change", () => this.#draw({ anew: true }));
    new ResizeObserver(() => this.#resize()).observe(parent);
  }

  /** Adds what `/api/ops/history` answered. Returns the newest time that is known. */
  add({ series, nodes }) {
    for (const { id, name, times, values } of nodes) {
      const known = this.#nodes.get(id) ?? { name, samples: new Map() };
      this.#nodes.set(id, known);
      times.forEach((time, at) => {
        const sample = Object.fromEntries(series.map((one, index) => [one, values[index][at]]));
        known.samples.set(time, sample);
      });
    }
    const newest = Math.max(
      0,
      ...[...this.#nodes.values()].flatMap(({ samples }) =>
        [
          ...samples.keys(),
        ].slice(-1)
      ),
    );
    this.#forget(newest - POINTS * STEP_MS);
    this.#draw({ anew: false });
    return newest;
  }

  /** Lets the lines of one node stand out; of all where it is undefined. */
  point(id) {
    if (id === this.#pointed) return;
    this.#pointed = id;
    for (const { plot } of this.#plots.values()) plot?.redraw(false);
    this.#tellAll();
  }

  #forget(oldest) {
    for (const [id, { samples }] of this.#nodes) {
      for (const time of samples.keys()) if (time <= oldest) samples.delete(time);
      if (samples.size === 0) this.#nodes.delete(id);
    }
  }

  #draw({ anew }) {
    const ids = [...this.#nodes.keys()].sort();
    const lines = ids.join();
    const isNew = anew || lines !== this.#lines;
    this.#lines = lines;
    const known = ids.flatMap((id) => [...this.#nodes.get(id).samples.keys()]);
    if (known.length === 0) return;
    const newest = Math.max(...known);
    const steps = Math.max(LEAST_POINTS, (newest - Math.min(...known)) / STEP_MS);
    const times = Array.from({ length: steps + 1 }, (_, at) => newest - (steps - at) * STEP_MS);
    for (const [name, shown] of this.#plots) {
      const data = [
        times.map((time) => time / 1_000),
        ...ids.map((id) =>
          times.map((time) => this.#nodes.get(id).samples.get(time)?.[name] ?? null)
        ),
      ];
      if (isNew || shown.plot === undefined) {
        shown.plot?.destroy();
        shown.plot = new uPlot(this.#options(name, ids), data, shown.box);
      } else {
        shown.plot.setData(data);
      }
    }
    this.#tellAll();
  }

  #options(name, ids) {
    const style = getComputedStyle(document.documentElement);
    const [muted, rule, mono] = ["--muted", "--rule", "--mono"].map((it) =>
      style.getPropertyValue(it)
    );
    const [, format] = PLOTS[name];
    const axis = { stroke: muted, font: `11px ${mono}`, ticks: { show: false } };
    return {
      width: this.#width(),
      height: HEIGHT,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: "ops" },
        y: false,
        points: { show: false },
        drag: { x: false, y: false, setScale: false },
      },
      scales: {
        y: {
          range: (_, __, max) => [0, Math.max(max ?? 0, name === "memoryBytes" ? 1e6 : 4) * 1.1],
        },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 70,
          size: 24,
          values: (_, ticks) => ticks.map((tick) => clock(tick * 1_000).slice(-8, -3)),
        },
        {
          ...axis,
          grid: { stroke: rule, width: 1 },
          size: 56,
          space: 34,
          values: (_, ticks) => ticks.map(format),
        },
      ],
      series: [
        {},
        ...ids.map((id) => ({
          width: ids.length > MANY ? 1 : 1.5,
          points: { show: false },
          spanGaps: false,
          stroke: () =>
            lineColor(hueOf(id), {
              isDark: this.#dark.matches,
              faint: this.#pointed !== undefined && this.#pointed !== id,
            }),
        })),
      ],
      hooks: { setCursor: [() => this.#tell(name)] },
    };
  }

  #tellAll() {
    for (const name of this.#plots.keys()) this.#tell(name);
  }

  /** Says what the plot is at the cursor, or now. */
  #tell(name) {
    const { told, at, plot } = this.#plots.get(name);
    if (plot === undefined) return;
    const [, format, together] = PLOTS[name];
    const { idx } = plot.cursor;
    const [times, ...lines] = plot.data;
    const index = idx ?? times.length - 1;
    const ids = this.#lines.split(",");
    const values = lines.map((line, one) => [
      ids[one],
      line[index] ?? NaN,
    ]).filter(([id, value]) =>
      Number.isFinite(value) && (this.#pointed === undefined || this.#pointed === id)
    );
    setText(at, idx === null || idx === undefined ? "" : clock(times[index] * 1_000));
    setText(
      told,
      this.#pointed === undefined ? together(values, format, this.#nodes) : values
        .map(([id, value]) => `${this.#nodes.get(id).name} ${format(value)}`).join(""),
    );
  }

  #resize() {
    for (const { plot } of this.#plots.values()) {
      plot?.setSize({ width: this.#width(), height: HEIGHT });
    }
  }

  #width() {
    return Math.floor(this.#parent.querySelector(".plot-box").clientWidth);
  }
}

function sum(values, format) {
  if (values.length === 0) return "–";
  return format(values.reduce((total, [, value]) => total + value, 0));
}

/** Each node hears every message, so a sum would count each several times. */
function highest(values, format) {
  return values.length === 0 ? "–" : format(Math.max(...values.map(([, value]) => value)));
}

function worst(values, format, nodes) {
  if (values.length === 0) return "–";
  const [id, value] = values.reduce((one, other) => other[1] > one[1] ? other : one);
  return values.length === 1 ? format(value) : `${format(value)} on ${nodes.get(id).name}`;
}
