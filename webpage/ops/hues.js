/** Hues that are told apart on paper and on ink, for the chips and lines of nodes. */
const HUES = [170, 28, 215, 330, 80, 265, 0, 190, 50, 300];
const given = new Map();

/** The hue of the node `id`, in degrees: the same for as long as the page is open. */
export function hueOf(id) {
  const at = given.get(id) ?? given.size;
  given.set(id, at);
  // The second ten stand between the first.
  return (HUES[at % HUES.length] + Math.floor(at / HUES.length) * 12) % 360;
}

/** The colour of `hue` on the page's paper, which is dark or light. */
export function lineColor(hue, { isDark, faint = false }) {
  return `hsl(${hue} ${isDark ? "50% 65%" : "60% 35%"} / ${faint ? 0.2 : 1})`;
}
