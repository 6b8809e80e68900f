/** How much of the past the wire shows. */
const SPAN_MS = 60_000;
/** The time between two poles. */
const POLE_MS = 15_000;
/** How long a pulse runs, how far it lifts the wire, and how wide and fast it is. */
const PULSE = { ms: 900, height: 13, width: 22, speed: 1.1 };
/** More pulses at once would blur, and cost. */
const MAX_PULSES = 5;
/** Marks closer than this become one. */
const MARK_MS = 150;
const MAX_MARKS = SPAN_MS / MARK_MS;
/** A message longer than this is a dash, a shorter one a dot. */
const DASH_LENGTH = 200;
const FRAME_MS = 33;

/**
 * The last minute as a telegraph wire between poles, drifting to the left: whole while the connection
 * is open, missing where it was not, with a dot or a dash where a message came, and a pulse that runs
 * along it when one comes. It says nothing that the page does not say in words.
 */
export class Wire {
  #canvas;
  #context;
  #colors = {};
  #spans = []; // {from, to}, `to` undefined while open
  #marks = []; // {time, dash, count, tone}
  #pulses = [];
  #frame = 0;
  #drawn = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#resize());
    this.#still.addEventListener("change", () => this.#request());
  }

  /** The connection opened or ended. */
  set open(open) {
    const last = this.#spans.at(-1);
    const isOpen = last !== undefined && last.to === undefined;
    if (open === isOpen) return;
    if (open) this.#spans.push({ from: performance.now(), to: undefined });
    else last.to = performance.now();
    this.#request();
  }

  /** Something came: a message of `length`, or in the tone `lost` a break. */
  mark({ length = 0, tone = "live" } = {}) {
    const time = performance.now();
    const last = this.#marks.at(-1);
    if (last?.tone === tone && time - last.time < MARK_MS) last.count++;
    else {
      if (this.#marks.length === MAX_MARKS) this.#marks.shift(); // a hidden page draws none away
      this.#marks.push({ time, dash: length > DASH_LENGTH, count: 1, tone });
      const moves = !this.#still.matches && tone === "live";
      if (moves && this.#pulses.length < MAX_PULSES) this.#pulses.push(time);
    }
    this.#request();
  }

  #resize() {
    const { width, height } = this.#canvas.getBoundingClientRect();
    this.#canvas.width = width * devicePixelRatio;
    this.#canvas.height = height * devicePixelRatio;
    const style = getComputedStyle(this.#canvas);
    for (const name of ["live", "lost", "rule", "paper", "muted"]) {
      this.#colors[name] = style.getPropertyValue(`--${name}`);
    }
    this.#draw(performance.now());
  }

  /** Draws soon, and again as long as there is anything to see. Hidden pages get no frames. */
  #request() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      const wait = this.#still.matches ? 5_000 : this.#pulses.length > 0 ? 0 : FRAME_MS;
      if (now - this.#drawn >= wait || this.#marks.at(-1)?.time > this.#drawn) {
        this.#draw(now);
      }
      if (this.#spans.length > 0) this.#request();
    });
  }

  #draw(now) {
    this.#drawn = now;
    const start = now - SPAN_MS;
    this.#spans = this.#spans.filter(({ to }) => to === undefined || to > start);
    this.#marks = this.#marks.filter(({ time }) => time > start);
    this.#pulses = this.#pulses.filter((time) => now - time < PULSE.ms);
    const context = this.#context;
    const width = this.#canvas.width / devicePixelRatio;
    const height = this.#canvas.height / devicePixelRatio;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    const scene = {
      now,
      width,
      height,
      top: Math.round(height * 0.36),
      sag: height * 0.2,
    };
    this.#drawPoles(scene);
    this.#drawWire(scene);
    this.#drawMarks(scene);
  }

  #drawPoles(scene) {
    const { now, height, top } = scene;
    const context = this.#context;
    context.strokeStyle = this.#colors.rule;
    context.lineWidth = 2;
    context.beginPath();
    const drift = this.#spans.length > 0 ? now % POLE_MS : POLE_MS / 2;
    for (let age = drift; age <= SPAN_MS + POLE_MS; age += POLE_MS) {
      const x = Math.round(xAt(now - age, scene));
      context.moveTo(x, top - 12);
      context.lineTo(x, height);
      context.moveTo(x - 9, top - 5);
      context.lineTo(x + 9, top - 5);
    }
    context.stroke();
  }

  #drawWire(scene) {
    const { now, width } = scene;
    const context = this.#context;
    context.lineJoin = "round";
    context.setLineDash([1, 6]);
    context.strokeStyle = this.#colors.muted;
    context.lineWidth = 1.25;
    this.#trace(0, width, scene);
    context.setLineDash([]);
    for (const { from, to } of this.#spans) {
      const left = Math.max(0, xAt(from, scene));
      const right = to === undefined ? width : xAt(to, scene);
      context.strokeStyle = this.#colors.paper; // the dots under a whole wire would show
      context.lineWidth = 5;
      this.#trace(left, right, scene);
      context.strokeStyle = this.#colors.live;
      context.lineWidth = 1.75;
      this.#trace(left, right, scene);
      if (from > now - SPAN_MS) this.#dot(left, this.#yAt(left, scene), 2.5, this.#colors.live);
      if (to !== undefined) this.#dot(right, this.#yAt(right, scene), 2.5, this.#colors.live);
    }
  }

  #drawMarks(scene) {
    for (const { time, dash, count, tone } of this.#marks) {
      const x = xAt(time, scene);
      const y = this.#yAt(x, scene);
      const radius = 3 + Math.min(5, Math.log2(count));
      if (tone === "live" && dash && count === 1) this.#dash(x, scene);
      else this.#dot(x, y, radius, this.#colors[tone]);
    }
  }

  #dash(x, scene) {
    this.#context.lineCap = "round";
    this.#context.lineWidth = 6;
    this.#context.strokeStyle = this.#colors.live;
    this.#trace(x - 7, x + 7, scene);
    this.#context.lineCap = "butt";
  }

  #dot(x, y, radius, color) {
    this.#context.fillStyle = color;
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#context.fill();
  }

  #trace(left, right, scene) {
    const context = this.#context;
    context.beginPath();
    context.moveTo(left, this.#yAt(left, scene));
    for (let x = left + 3; x < right; x += 3) {
      context.lineTo(x, this.#yAt(x, scene));
    }
    context.lineTo(right, this.#yAt(right, scene));
    context.stroke();
  }

  /** The wire's height at `x`: a sag between two poles, and the pulses that pass there. */
  #yAt(x, { now, width, top, sag }) {
    const drift = this.#spans.length > 0 ? now % POLE_MS : POLE_MS / 2;
    const fromPole = (((width - x) / width * SPAN_MS - drift) / POLE_MS + 2) %
      1;
    let y = top + sag * 4 * fromPole * (1 - fromPole);
    for (const time of this.#pulses) {
      const age = now - time;
      const distance = (x - (width - age * PULSE.speed)) / PULSE.width;
      y -= PULSE.height * (1 - age / PULSE.ms) * Math.exp(-distance * distance);
    }
    return y;
  }
}

function xAt(time, { now, width }) {
  return width * (1 - (now - time) / SPAN_MS);
}
