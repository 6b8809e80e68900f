/** How much of the past the wire shows, and how much of it one bar stands for. */
const SPAN_MS = 60_000;
const BIN_MS = 1_000;
/** Over how many bars the rate is a mean. */
const RATE_BINS = 5;
/** The time between two marks of the axis. */
const TICK_MS = 10_000;
/** The least that the top line stands for, in messages a second. */
const MIN_TOP = 5;
/** Where the top line is, and how far the wire hangs above the ground. */
const TOP = 15;
const GROUND = 9;
const FRAME_MS = 50;

/**
 * The last minute, drifting to the left: a wire, whole while the connection is open and broken where it
 * was not, with a bar a second for the messages that came, a diamond where some may have been lost and
 * a ring where the client caught up. It says nothing that the page does not say in words.
 */
export class Wire {
  #canvas;
  #context;
  #colors = {};
  #font = "";
  #spans = []; // {from, to}, `to` undefined while open
  #bins = []; // {second, count}, the oldest first, none without messages
  #marks = []; // {time, tone}
  #frame = 0;
  #drawn = -Infinity;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#resize());
  }

  /** The connection opened or ended. */
  set open(open) {
    const last = this.#spans.at(-1);
    const isOpen = last !== undefined && last.to === undefined;
    if (open === isOpen) return;
    if (open) this.#spans.push({ from: performance.now(), to: undefined });
    else last.to = performance.now();
    this.#redraw();
  }

  /** The mean number of messages a second, over the last five. */
  get rate() {
    const since = secondOf(performance.now()) - RATE_BINS;
    const recent = this.#bins.filter(({ second }) => second > since);
    return recent.reduce((sum, { count }) => sum + count, 0) / RATE_BINS;
  }

  /** A message came. */
  count() {
    const second = secondOf(performance.now());
    const last = this.#bins.at(-1);
    if (last?.second === second) last.count++;
    else this.#bins.push({ second, count: 1 });
    if (this.#bins.length > SPAN_MS / BIN_MS + 2) this.#bins.shift(); // a hidden page draws none away
    this.#redraw();
  }

  /** Marks this moment: "lost" where messages may be missing, "live" where the client caught up. */
  mark(tone) {
    this.#marks.push({ time: performance.now(), tone });
    if (this.#marks.length > SPAN_MS / BIN_MS) this.#marks.shift();
    this.#redraw();
  }

  #resize() {
    const { width, height } = this.#canvas.getBoundingClientRect();
    this.#canvas.width = width * devicePixelRatio;
    this.#canvas.height = height * devicePixelRatio;
    const style = getComputedStyle(this.#canvas);
    this.#font = `${style.fontSize} ${style.fontFamily}`;
    for (const name of ["live", "lost", "rule", "muted", "paper"]) {
      this.#colors[name] = style.getPropertyValue(`--${name}`);
    }
    this.#draw(performance.now());
  }

  /** Draws with the next frame, whenever the last one was. */
  #redraw() {
    this.#drawn = -Infinity;
    this.#request();
  }

  /** Draws soon, and again as long as anything moves. Hidden pages get no frames. */
  #request() {
    this.#frame ||= requestAnimationFrame((now) => {
      this.#frame = 0;
      // Who wants no motion sees the picture change once a second, and at once when something comes.
      if (now - this.#drawn >= (this.#still.matches ? BIN_MS : FRAME_MS)) {
        this.#draw(now);
      }
      if (this.#spans.length > 0) this.#request();
    });
  }

  #draw(now) {
    this.#drawn = now;
    const start = now - SPAN_MS;
    this.#spans = this.#spans.filter(({ to }) => to === undefined || to > start);
    this.#bins = this.#bins.filter(({ second }) => (second + 1) * BIN_MS > start);
    this.#marks = this.#marks.filter(({ time }) => time > start);
    const context = this.#context;
    const width = this.#canvas.width / devicePixelRatio;
    const height = this.#canvas.height / devicePixelRatio;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    const ground = height - GROUND;
    const scene = {
      now,
      width,
      height,
      ground,
      at: (time) => width * (1 - (now - time) / SPAN_MS),
    };
    this.#drawOutages(scene);
    this.#drawScale(scene);
    this.#drawWire(scene);
    this.#drawMarks(scene);
  }

  /** Shades the time between two connections. */
  #drawOutages({ width, ground, at }) {
    const context = this.#context;
    context.fillStyle = this.#colors.lost;
    context.globalAlpha = 0.12;
    for (const [index, { to }] of this.#spans.entries()) {
      if (to === undefined) continue;
      const next = this.#spans[index + 1];
      const right = next === undefined ? width : at(next.from);
      context.fillRect(Math.max(0, at(to)), TOP, right - Math.max(0, at(to)), ground - TOP);
    }
    context.globalAlpha = 1;
  }

  /** The top line with what it stands for, and the bars. */
  #drawScale({ width, height, ground, at, now }) {
    const context = this.#context;
    const top = roundUp(Math.max(MIN_TOP, ...this.#bins.map(({ count }) => count)));
    context.fillStyle = context.strokeStyle = this.#colors.rule;
    context.fillRect(0, TOP, width, 1);
    const drift = now % TICK_MS;
    for (let age = drift; age <= SPAN_MS; age += TICK_MS) {
      context.fillRect(Math.round(at(now - age)), ground, 1, height - ground);
    }
    const bar = Math.max(1, width * BIN_MS / SPAN_MS - 1);
    context.fillStyle = this.#colors.live;
    for (const { second, count } of this.#bins) {
      const tall = Math.max(2, (ground - TOP) * count / top);
      context.fillRect(at(second * BIN_MS), ground - tall, bar, tall);
    }
    context.fillStyle = this.#colors.muted;
    context.font = this.#font;
    context.textBaseline = "bottom";
    context.fillText(`${top.toLocaleString("en")}/s`, 0, TOP - 1);
  }

  #drawWire({ width, ground, at }) {
    const context = this.#context;
    const trace = (left, right) => {
      context.beginPath();
      context.moveTo(left, ground);
      context.lineTo(right, ground);
      context.stroke();
    };
    context.lineWidth = 1.5;
    context.strokeStyle = this.#colors.muted;
    context.setLineDash([1, 5]);
    trace(0, width);
    context.setLineDash([]);
    context.lineWidth = 2;
    context.strokeStyle = this.#colors.live;
    for (const { from, to } of this.#spans) {
      trace(Math.max(0, at(from)), to === undefined ? width : at(to));
    }
  }

  /** A diamond for what was lost, a ring for what was caught up: told apart without their colours. */
  #drawMarks({ ground, at }) {
    const context = this.#context;
    for (const { time, tone } of this.#marks) {
      const x = at(time);
      context.fillStyle = tone === "lost" ? this.#colors.lost : this.#colors.paper;
      context.strokeStyle = this.#colors[tone];
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(x, TOP);
      context.lineTo(x, ground - 5);
      context.stroke();
      context.beginPath();
      if (tone === "lost") {
        for (const [dx, dy] of [[0, -6], [6, 0], [0, 6], [-6, 0]]) {
          context.lineTo(x + dx, ground + dy);
        }
        context.closePath();
      } else context.arc(x, ground, 5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }
}

function secondOf(time) {
  return Math.floor(time / BIN_MS);
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundUp(count) {
  const power = 10 ** Math.floor(Math.log10(count));
  return [1, 2, 5, 10].find((step) => step * power >= count) * power;
}
