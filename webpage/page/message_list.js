import { Announcer } from "./announcer.js";
import { cutText } from "./cut_text.js";
import { countUpTo, Entries } from "./entries.js";
import { messageRow, noteRow, PREVIEW, showNote } from "./message_row.js";

/** How many rows there are in the document at most. */
const PAGE = 100;
/** How far a key moves the choice. */
const STEPS = {
  ArrowUp: -1,
  ArrowDown: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -PAGE,
  End: PAGE,
};

/**
 * Thousands of entries, the newest first, a page of them in the document. The list follows what comes
 * until it is held or leafed through; then it stands still and counts what is newer. It fires `choose`
 * ({entry}) when a row is chosen, by pointer or keyboard, and `clear`.
 */
export class MessageList extends EventTarget {
  #list;
  #controls;
  #entries = new Entries(); // each with its `row`, where it is a note in the document
  #announcer;
  #received = 0;
  #rendered = 0; // the newest `n` in the document while following
  #heldAt; // the newest `n` to show, undefined while following
  #frame = 0;
  #chosen; // the entry

  /** @param controls the elements {list, empty, filter, hold, older, newer, clear, position, pager, announcer} */
  constructor(controls) {
    super();
    this.#controls = controls;
    const { list, filter, hold, older, newer, clear } = controls;
    this.#list = list;
    this.#announcer = new Announcer(controls.announcer);
    hold.addEventListener("click", () => this.#hold(this.#held ? undefined : this.#entries.last));
    older.addEventListener("click", () => this.#leaf(-PAGE));
    newer.addEventListener("click", () => this.#leaf(PAGE));
    clear.addEventListener("click", () => this.clear());
    filter.addEventListener("input", () => this.#search(filter.value));
    list.addEventListener("click", ({ target }) => this.#choose(target.closest("li")));
    list.addEventListener("keydown", (event) => this.#step(event));
    this.#show();
  }

  /** The number of messages since the list was made or cleared. */
  get received() {
    return this.#received;
  }

  /** The messages that are kept and that the filter lets through, the oldest first: {n, time, text}. */
  get messages() {
    return this.#entries.view.filter(({ note }) => note === undefined);
  }

  /** Adds a message, given as JSON text. */
  addMessage(text) {
    this.#received++;
    this.#add({ text });
    this.#announcer.add(() =>
      `New message: ${cutText(this.#entries.latestMessage?.text ?? "", PREVIEW)}`
    );
  }

  /**
   * Adds a row of the page's own, `tone` being "live", "lost" or "quiet". One of the same `group` as
   * the row before it takes that one's place and counts up.
   */
  addNote(note, tone, group) {
    const last = this.#entries.latest;
    if (group === undefined || last?.group !== group) {
      return this.#add({ text: "", note, tone, group, times: 1 });
    }
    Object.assign(last, {
      note,
      tone,
      time: new Date(),
      times: last.times + 1,
    });
    if (last.row !== undefined) showNote(last.row, last);
  }

  clear() {
    this.#entries.clear();
    this.#announcer.clear();
    this.#received = 0;
    this.#chosen = undefined;
    this.#hold(undefined);
    this.dispatchEvent(new Event("clear"));
  }

  get #held() {
    return this.#heldAt !== undefined;
  }

  /** How many entries of the view are not newer than what is shown. */
  get #top() {
    return countUpTo(this.#entries.view, this.#heldAt ?? this.#entries.last);
  }

  #add(fields) {
    this.#entries.add(fields);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#entries.trim();
      if (!this.#held) this.#follow();
      this.#showControls();
    });
  }

  #search(words) {
    this.#entries.search(words);
    this.#controls.filter.toggleAttribute("data-active", words !== "");
    this.#show();
  }

  #hold(top) {
    const { oldest, last } = this.#entries;
    this.#heldAt = top === undefined ? undefined : Math.max(top, Math.min(oldest, last));
    this.#show();
  }

  /** Shows rows that are older (negative) or newer. */
  #leaf(by) {
    const { view } = this.#entries;
    const top = this.#top + by;
    if (top >= view.length) this.#hold(undefined);
    else this.#hold(view[Math.max(0, top - 1)]?.n);
  }

  /** Shows the page anew. */
  #show() {
    this.#list.replaceChildren();
    for (const entry of this.#entries.view) entry.row = undefined;
    this.#rendered = 0;
    this.#render();
    this.#showControls();
  }

  /** Puts what is new above what is shown. */
  #follow() {
    this.#render();
    while (this.#list.childElementCount > PAGE) {
      this.#list.lastElementChild.remove();
    }
  }

  #render() {
    const { view } = this.#entries;
    const top = this.#top;
    const from = Math.max(countUpTo(view, this.#rendered), top - PAGE, 0);
    const rows = view.slice(from, top).reverse().map((entry) => this.#row(entry));
    this.#list.prepend(...rows);
    this.#rendered = view[top - 1]?.n ?? this.#rendered;
    this.#markChosen();
  }

  #row(entry) {
    const row = entry.note === undefined ? messageRow(entry) : noteRow(entry);
    row.id = `row-${entry.n}`;
    if (entry.note !== undefined) entry.row = row;
    return row;
  }

  #choose(row) {
    if (row === null || row === undefined) return;
    const n = Number(row.id.slice(4));
    this.#chosen = this.#entries.view.find((entry) => entry.n === n);
    this.#markChosen();
    if (this.#chosen === undefined) return;
    this.dispatchEvent(Object.assign(new Event("choose"), { entry: this.#chosen }));
  }

  #markChosen() {
    const id = `row-${this.#chosen?.n}`;
    const before = this.#list.querySelector("[aria-selected=true]");
    const now = this.#list.querySelector(`#${id}`);
    if (before !== now) before?.setAttribute("aria-selected", "false");
    now?.setAttribute("aria-selected", "true");
    if (now === null) this.#list.removeAttribute("aria-activedescendant");
    else this.#list.setAttribute("aria-activedescendant", id);
  }

  #step(event) {
    const { key, altKey, ctrlKey, metaKey } = event;
    const by = STEPS[key];
    if (by === undefined || altKey || ctrlKey || metaKey) return;
    event.preventDefault();
    const rows = [...this.#list.children];
    const at = rows.findIndex((row) => row.ariaSelected === "true");
    const to = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by));
    this.#choose(rows[to]);
    rows[to]?.scrollIntoView({ block: "nearest" });
  }

  #showControls() {
    const { hold, older, newer, clear, empty } = this.#controls;
    const { view } = this.#entries;
    const kept = this.#entries.size;
    empty.hidden = view.length > 0;
    empty.textContent = kept > 0
      ? "Nothing here contains that."
      : "Messages are listed here, the newest first.";
    hold.disabled = clear.disabled = kept === 0;
    hold.textContent = this.#held ? "Follow" : "Hold";
    older.hidden = newer.hidden = view.length <= PAGE;
    older.disabled = this.#top <= PAGE;
    newer.disabled = this.#top === view.length;
    this.#showPosition();
  }

  #showPosition() {
    const { pager, position, older } = this.#controls;
    const { view } = this.#entries;
    const top = this.#top;
    const words = [];
    if (this.#held && view.length > PAGE) {
      // Without a filter, as numbered: the oldest may have been dropped.
      const [first, last, all] = this.#entries.isFiltered
        ? [Math.max(1, top - PAGE + 1), top, view.length]
        : [view[Math.max(0, top - PAGE)].n, view[top - 1].n, this.#entries.last];
      words.push(`${number(first)}–${number(last)} of ${number(all)}`);
    } else if (this.#entries.isFiltered) {
      words.push(`${number(view.length)} of ${number(this.#entries.size)}`);
    }
    if (this.#held) words.push(top < view.length ? `${number(view.length - top)} newer` : "held");
    position.textContent = words.join(", ");
    pager.hidden = older.hidden && words.length === 0;
  }
}

/** `count` with its thousands apart. */
export function number(count) {
  return count.toLocaleString("en");
}
