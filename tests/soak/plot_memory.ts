/** How much memory a process held at a time. */
export interface Sample {
  readonly minute: number;
  readonly mb: number;
}

const SIZE = { width: 640, height: 240, left: 56, bottom: 32, top: 28 };

/** The memory over time, as an SVG that reads in light and in dark. */
export function plotMemory(samples: readonly Sample[]): string {
  const { width, height, left, bottom, top } = SIZE;
  const minutes = Math.max(...samples.map(({ minute }) => minute));
  const most = Math.ceil(Math.max(...samples.map(({ mb }) => mb)) / 50) * 50;
  const x = (minute: number) => left + (width - left - 12) * minute / minutes;
  const y = (mb: number) => height - bottom - (height - bottom - top) * mb / most;
  const points = samples.map(({ minute, mb }) => `${x(minute).toFixed(1)},${y(mb).toFixed(1)}`);
  const rules = [0, most / 2, most].map((mb) =>
    `<line class="r" x1="${left}" x2="${width - 12}" y1="${y(mb)}" y2="${y(mb)}"/>` +
    `<text x="${left - 8}" y="${y(mb) + 4}" text-anchor="end">${mb}</text>`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>Resident memory of the gateway in MB, over ${minutes.toFixed(0)} minutes</title>
<style>text{font:12px system-ui,sans-serif;fill:#555}.r{stroke:#8884}polyline{fill:none;stroke:#0a7d6c;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#bbb}polyline{stroke:#4fd1bd}}</style>
<text x="${left}" y="16">Resident memory of the gateway, MB</text>
${rules.join("\n")}
<polyline points="${points.join(" ")}"/>
<text x="${width - 12}" y="${height - 10}" text-anchor="end">${minutes.toFixed(0)} minutes</text>
</svg>
`;
}
