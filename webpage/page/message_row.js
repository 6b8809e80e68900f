import { cutText } from "./cut_text.js";
import { jsonLine } from "./pretty_json.js";

/** How much of a message its row shows. */
export const PREVIEW = 240;
/** Letters of scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** The row of a message {time, text}. */
export function messageRow({ time, text }) {
  const row = option("");
  const preview = document.createElement("code");
  const shown = cutText(text, PREVIEW);
  preview.append(RIGHT_TO_LEFT.test(shown) ? jsonLine(shown) : shown);
  const size = document.createElement("small");
  size.textContent = bytes(text);
  row.append(timeOf(time), preview, size);
  return row;
}

/** The row of the page's own note {time, note, tone, times}. */
export function noteRow(entry) {
  const row = option("note");
  showNote(row, entry);
  return row;
}

/** Writes a note anew, into its row. */
export function showNote(row, { time, note, tone, times }) {
  row.className = `note ${tone}`;
  const words = document.createElement("span");
  words.textContent = times > 1 ? `${note} (${times} attempts)` : note;
  row.replaceChildren(timeOf(time), words);
}

/** The time of day of `date`, for people. */
export function clock(date) {
  return date.toTimeString().slice(0, 8);
}

/** How large `text` is in UTF-8, for people. */
export function bytes(text) {
  // Counting a large text exactly would cost more than it says.
  const count = text.length > 100_000 ? text.length : new TextEncoder().encode(text).length;
  return count < 10_000 ? `${count} B` : `${Math.round(count / 1000)} kB`;
}

function option(className) {
  const row = document.createElement("li");
  row.role = "option";
  row.ariaSelected = "false";
  row.className = className;
  return row;
}

function timeOf(date) {
  const time = document.createElement("time");
  time.dateTime = date.toISOString();
  time.textContent = clock(date);
  return time;
}
