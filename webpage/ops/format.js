const NUMBER = new Intl.NumberFormat("en");

/** A whole number for people. */
export function count(value) {
  return Number.isFinite(value) ? NUMBER.format(Math.round(value)) : "–";
}

/** "1 node", "2 nodes". */
export function plural(value, name) {
  return `${count(value)} ${name}${value === 1 ? "" : "s"}`;
}

/** Milliseconds for people. */
export function milliseconds(value) {
  if (!Number.isFinite(value)) return "–";
  if (value < 10) return `${Math.round(value * 10) / 10} ms`;
  return value < 1_000 ? `${Math.round(value)} ms` : `${Math.round(value / 100) / 10} s`;
}

/** Bytes for people. */
export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  if (value < 1_000) return `${Math.round(value)} B`;
  const [unit, name] = value < 1e6 ? [1e3, "kB"] : value < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  const amount = value / unit;
  return `${amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount)} ${name}`;
}

/** How long something lasts, in two parts at most: "3 d 4 h". */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return "0 s";
  return parts.slice(first, first + 2).filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/** The time of day, with the date where it was another day. */
export function clock(at) {
  const date = new Date(at);
  const time = date.toTimeString().slice(0, 8);
  return date.toDateString() === new Date().toDateString()
    ? time
    : `${date.toLocaleDateString("en-CA")} ${time}`;
}
