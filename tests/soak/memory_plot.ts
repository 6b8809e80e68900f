import type { Series } from "./trend.ts";

const WIDTH = 720;
const HEIGHT = 320;
const FRAME = { left: 56, right: 28, top: 60, bottom: 36 };
const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
path { fill: none; stroke-width: 2; }
.axis { stroke: #d0d7de; stroke-width: 1; }
path.rss { stroke: #0969da; } path.heap { stroke: #bc4c00; }
text.rss { fill: #0969da; } text.heap { fill: #bc4c00; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .axis { stroke: #3d444d; } }`;

/** Draws memory over time as an SVG: what is resident, and what V8 keeps, both in MB. */
export function memoryPlot(title: string, rss: Series, heap: Series): string {
  const seconds = Math.max(...rss.map(({ at }) => at), 1);
  const top = Math.max(...rss.map(({ value }) => value), 1) * 1.1;
  const right = WIDTH - FRAME.right;
  const bottom = HEIGHT - FRAME.bottom;
  const x = (at: number) => (FRAME.left + at / seconds * (right - FRAME.left)).toFixed(1);
  const y = (mb: number) => (bottom - mb / top * (bottom - FRAME.top)).toFixed(1);
  const line = (name: string, series: Series) =>
    `<path class="${name}" d="M${
      series.map(({ at, value }) => `${x(at)} ${y(value)}`).join("L")
    }"/>`;
  const step = [10, 20, 50, 100, 200, 500].find((mb) => top / mb <= 6) ?? 1000;
  const levels = Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
  const times = Array.from({ length: 6 }, (_, i) => seconds * i / 5);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ` +
    `aria-label="${title}">\n<style>${STYLE}\n</style>`,
    `<text class="title" x="10" y="24">${title}</text>`,
    `<text class="rss" x="${FRAME.left}" y="48">resident, MB</text>`,
    `<text class="heap" x="${FRAME.left + 110}" y="48">V8's heap after full collections, MB</text>`,
    ...levels.map((mb) =>
      `<path class="axis" d="M${FRAME.left} ${y(mb)}H${right}"/>` +
      `<text x="${FRAME.left - 8}" y="${Number(y(mb)) + 4}" text-anchor="end">${mb}</text>`
    ),
    ...times.map((at) =>
      `<text x="${x(at)}" y="${HEIGHT - 12}" text-anchor="middle">` +
      `${Number((at / 60).toFixed(1))} min</text>`
    ),
    line("rss", rss),
    ...heap.length > 0 ? [line("heap", heap)] : [],
    "</svg>\n",
  ].join("\n");
}
