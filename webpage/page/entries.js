/** How many entries are kept, and how many characters in them. */
const MAX_ENTRIES = 10_000;
const MAX_CHARACTERS = 20_000_000;

/** What the list keeps: entries {n, time, text, note}, the oldest first, `n` counting up by one. */
export class Entries {
  #all = [];
  #matches; // those that the filter lets through, undefined without one
  #filter;
  #characters = 0;
  #next = 1;

  /** How many there are. */
  get size() {
    return this.#all.length;
  }

  /** The number of the newest. */
  get last() {
    return this.#next - 1;
  }

  /** The number of the oldest that is kept; 0 without any. */
  get oldest() {
    return this.#all[0]?.n ?? 0;
  }

  get latest() {
    return this.#all.at(-1);
  }

  get isFiltered() {
    return this.#filter !== undefined;
  }

  /** Those that the filter lets through. */
  get view() {
    return this.#matches ?? this.#all;
  }

  /** Adds one; {@link trim} is left to the caller, until there are far too many. */
  add(fields) {
    const entry = { n: this.#next++, time: new Date(), ...fields };
    this.#all.push(entry);
    if (this.#filter?.test(wordsOf(entry))) this.#matches.push(entry);
    this.#characters += entry.text.length;
    // A hidden page gets no frames in which to trim, and must not grow without bound for that.
    const tooMany = this.#all.length > 2 * MAX_ENTRIES;
    if (tooMany || this.#characters > 2 * MAX_CHARACTERS) this.trim();
  }

  /** Drops the oldest beyond what is kept. */
  trim() {
    let excess = Math.max(0, this.#all.length - MAX_ENTRIES);
    let characters = this.#characters;
    for (let i = 0; i < excess; i++) characters -= this.#all[i].text.length;
    while (characters > MAX_CHARACTERS && excess < this.#all.length - 1) {
      characters -= this.#all[excess++].text.length;
    }
    if (excess === 0) return;
    const { n } = this.#all[excess - 1];
    this.#all.splice(0, excess);
    this.#matches?.splice(0, countUpTo(this.#matches, n));
    this.#characters = characters;
  }

  clear() {
    this.#all = [];
    this.#matches &&= [];
    this.#characters = 0;
    this.#next = 1;
  }

  /** Lets through what contains `words`, in whatever case; all where there are none. */
  search(words) {
    const literal = words.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    this.#filter = words === "" ? undefined : new RegExp(literal, "iu");
    this.#matches = this.#filter && this.#all.filter((entry) => this.#filter.test(wordsOf(entry)));
  }

  /** The newest message, without the page's own notes. */
  get latestMessage() {
    return this.#all.findLast(({ note }) => note === undefined);
  }
}

/** How many of `entries`, sorted by `n`, have an `n` up to this one. */
export function countUpTo(entries, n) {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].n <= n) low = middle + 1;
    else high = middle;
  }
  return low;
}

function wordsOf({ text, note }) {
  return note ?? text;
}
