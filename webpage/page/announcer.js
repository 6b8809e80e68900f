/** The least time between two announcements. */
const EVERY_MS = 4_000;
/** The least time before one, so that what comes together is told together. */
const SOON_MS = 300;

/** Tells a screen reader what came, now and then. */
export class Announcer {
  #element;
  #timer = 0;
  #time = -Infinity;
  #count = 0;

  /** @param {HTMLElement} element a live region */
  constructor(element) {
    this.#element = element;
  }

  /** A message came; `describe` says what the latest one is, when it is announced. */
  add(describe) {
    this.#count++;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#time = performance.now();
      if (this.#count > 0) {
        this.#element.textContent = this.#count === 1 ? describe() : `${this.#count} new messages`;
      }
      this.#count = 0;
    }, Math.max(SOON_MS, this.#time + EVERY_MS - performance.now()));
  }

  /** What came is no longer there. */
  clear() {
    this.#count = 0;
  }
}
