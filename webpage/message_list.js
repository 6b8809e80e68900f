import { copyButton } from "./copy_button.js";
import { prettyJson } from "./pretty_json.js";

/** How many rows there are in the document at most. */
const PAGE = 100;
/** How many entries are kept, and how many characters in them. */
const MAX_ENTRIES = 10_000;
const MAX_CHARACTERS = 20_000_000;
/** How much of a message its row shows before it is opened. */
const PREVIEW = 240;
/** The least time between two announcements to a screen reader. */
const ANNOUNCE_MS = 4_000;

/**
 * Thousands of entries, the newest first, a page of them in the document. The list follows what comes
 * until it is held or leafed through; then it stands still and counts what is newer.
 */
export class MessageList {
  #list;
  #controls;
  #entries = []; // {n, time, text, note, tone}, the oldest first; `n` counts up by one
  #characters = 0;
  #received = 0;
  #next = 1;
  #rendered = 0; // the newest `n` in the document while following
  #heldAt; // the newest `n` to show, undefined while following
  #frame = 0;
  #announced = { time: 0, timer: 0, received: 0 };

  /** @param controls the elements {list, empty, hold, older, newer, clear, position, announcer} */
  constructor(controls) {
    this.#controls = controls;
    this.#list = controls.list;
    controls.hold.addEventListener("click", () => this.#hold(this.#held ? undefined : this.#last));
    controls.older.addEventListener("click", () => this.#hold(this.#top - PAGE));
    controls.newer.addEventListener("click", () => {
      const top = this.#top + PAGE;
      this.#hold(top >= this.#last ? undefined : top);
    });
    controls.clear.addEventListener("click", () => this.clear());
    this.#show();
  }

  /** The number of messages since the list was made or cleared. */
  get received() {
    return this.#received;
  }

  /** Adds a message, given as JSON text. */
  addMessage(text) {
    this.#received++;
    this.#add({ text });
    this.#announceSoon();
  }

  /** Adds a row of the page's own, `tone` being "live", "lost" or "quiet". */
  addNote(note, tone) {
    this.#add({ text: "", note, tone });
  }

  clear() {
    this.#entries = [];
    this.#characters = this.#received = this.#announced.received = 0;
    this.#next = 1;
    this.#hold(undefined);
  }

  get #held() {
    return this.#heldAt !== undefined;
  }

  get #last() {
    return this.#next - 1;
  }

  /** The newest `n` that is shown. */
  get #top() {
    return this.#heldAt ?? this.#last;
  }

  #add(entry) {
    this.#entries.push({ n: this.#next++, time: new Date(), ...entry });
    this.#characters += entry.text.length;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#trim();
      if (this.#held) this.#showControls();
      else this.#follow();
    });
    // A hidden page gets no frames, and must not grow without bound for that.
    const tooMany = this.#entries.length > 2 * MAX_ENTRIES;
    if (tooMany || this.#characters > 2 * MAX_CHARACTERS) this.#trim();
  }

  #trim() {
    let excess = Math.max(0, this.#entries.length - MAX_ENTRIES);
    let characters = this.#characters;
    for (let i = 0; i < excess; i++) characters -= this.#entries[i].text.length;
    while (characters > MAX_CHARACTERS && excess < this.#entries.length - 1) {
      characters -= this.#entries[excess++].text.length;
    }
    this.#entries.splice(0, excess);
    this.#characters = characters;
  }

  #hold(top) {
    const oldest = this.#entries[0]?.n ?? 0;
    this.#heldAt = top === undefined ? undefined : Math.max(top, Math.min(oldest, this.#last));
    this.#show();
  }

  /** Shows the page anew. */
  #show() {
    this.#list.replaceChildren();
    this.#rendered = 0;
    this.#render(this.#top);
    this.#showControls();
  }

  /** Puts what is new above what is shown. */
  #follow() {
    this.#render(this.#last);
    while (this.#list.childElementCount > PAGE) {
      this.#list.lastElementChild.remove();
    }
    this.#showControls();
  }

  #render(top) {
    const oldest = this.#entries[0]?.n ?? 0;
    const from = Math.max(oldest, this.#rendered + 1, top - PAGE + 1);
    const rows = this.#entries.slice(from - oldest, top - oldest + 1).reverse()
      .map(rowOf);
    this.#list.prepend(...rows);
    this.#rendered = top;
  }

  #showControls() {
    const { hold, older, newer, clear, empty, position } = this.#controls;
    const kept = this.#entries.length;
    const oldest = this.#entries[0]?.n ?? 0;
    const newerCount = this.#last - this.#top;
    empty.hidden = kept > 0;
    hold.hidden = clear.hidden = kept === 0;
    hold.textContent = this.#held ? "Follow" : "Hold";
    older.hidden = newer.hidden = kept <= PAGE;
    older.disabled = this.#top - PAGE < oldest;
    newer.disabled = newerCount === 0;
    const first = Math.max(oldest, this.#top - PAGE + 1);
    const shown = `${number(first)}–${number(this.#top)} of ${number(this.#last)}`;
    position.textContent = kept === 0
      ? ""
      : !this.#held
      ? kept > PAGE ? `the newest ${PAGE}` : ""
      : newerCount > 0
      ? `${shown}, ${number(newerCount)} newer`
      : "held";
  }

  /** Tells a screen reader what came, now and then. */
  #announceSoon() {
    const announced = this.#announced;
    if (announced.timer !== 0) return;
    announced.timer = setTimeout(() => {
      announced.timer = 0;
      announced.time = performance.now();
      const count = this.#received - announced.received;
      announced.received = this.#received;
      if (count <= 0) return;
      const latest = this.#entries.findLast(({ note }) => note === undefined);
      this.#controls.announcer.textContent = count === 1
        ? `New message: ${latest?.text.slice(0, PREVIEW)}`
        : `${count} new messages`;
    }, Math.max(300, announced.time + ANNOUNCE_MS - performance.now()));
  }
}

function rowOf(entry) {
  const row = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = entry.time.toISOString();
  time.textContent = clock(entry.time);
  if (entry.note !== undefined) {
    row.className = `note ${entry.tone}`;
    row.append(time, entry.note);
    return row;
  }
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const preview = document.createElement("code");
  preview.textContent = entry.text.slice(0, PREVIEW);
  summary.append(time, preview);
  details.append(summary);
  // Laying out is left to the moment when somebody looks.
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const pretty = prettyJson(entry.text);
    const block = document.createElement("pre");
    block.tabIndex = 0;
    block.textContent = pretty;
    details.append(block, copyButton(() => pretty, "this message"));
  });
  row.append(details);
  return row;
}

/** `count` with its thousands apart. */
export function number(count) {
  return count.toLocaleString("en");
}

/** The time of day of `date`, for people. */
export function clock(date) {
  return date.toTimeString().slice(0, 8);
}
