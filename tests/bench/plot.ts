/** The picture for docs/benchmarks.md: bars, on light and dark pages alike. */

/** One bar. */
export interface Bar {
  readonly title: string;
  readonly value: number;
  /** Keywire's own bars stand out. */
  readonly own: boolean;
}

const WIDTH = 760;
const LEFT = 220;
const RIGHT = 110;
const TOP = 64;
const STEP = 30;
const THICKNESS = 18;

const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.says { fill: #59636e }
.peer { fill: #afb8c1 }
.own { fill: #0969da }
.value { font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .says { fill: #9198a1 }
  .peer { fill: #59636e }
  .own { fill: #4493f8 }
}`;

/** Draws bars, the longest first, as an SVG document. */
export function plot(
  bars: readonly Bar[],
  { title, says }: { readonly title: string; readonly says: string },
): string {
  const sorted = [...bars].sort((a, b) => b.value - a.value);
  const longest = sorted[0]?.value ?? 1;
  const height = TOP + sorted.length * STEP + 8;
  const rows = sorted.map(({ title, value, own }, index) => {
    const y = TOP + index * STEP;
    const length = Math.max(1, value / longest * (WIDTH - LEFT - RIGHT));
    return `<text x="${LEFT - 10}" y="${y + 14}" text-anchor="end">${escape(title)}</text>` +
      `<rect class="${own ? "own" : "peer"}" x="${LEFT}" y="${y}" width="${length.toFixed(1)}" ` +
      `height="${THICKNESS}" rx="2"/>` +
      `<text class="value" x="${(LEFT + length + 8).toFixed(1)}" y="${y + 14}">` +
      `${Number(value.toPrecision(3)).toLocaleString("en")}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `aria-label="${escape(title)}">\n<style>${STYLE}\n</style>\n` +
    `<text class="title" x="10" y="24">${escape(title)}</text>\n` +
    `<text class="says" x="10" y="46">${escape(says)}</text>\n${rows.join("\n")}\n</svg>\n`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
