/** A queue whose items keep their number, from 0 on, however many before them are gone. */
export class Queue<T> {
  #items: (T | undefined)[] = [];
  /** How many slots at the start of `#items` are empty. */
  #vacant = 0;
  #first = 0;

  /** The number of the oldest item, or of the next one where there is none. */
  get first(): number {
    return this.#first;
  }

  /** The number of the next item. */
  get end(): number {
    return this.#first + this.#items.length - this.#vacant;
  }

  /** Adds an item behind the others. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the oldest item; amortised constant time. */
  shift(): T | undefined {
    if (this.#first === this.end) return undefined;
    const item = this.#items[this.#vacant];
    this.#items[this.#vacant] = undefined;
    this.#vacant++;
    this.#first++;
    if (this.#vacant * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#vacant);
      this.#vacant = 0;
    }
    return item;
  }

  /** The item with that number, undefined when it is gone or not there yet. */
  at(number: number): T | undefined {
    return this.#items[this.#vacant + number - this.#first];
  }

  /** Puts `item` in the place of the one with that number, which is here. */
  set(number: number, item: T): void {
    this.#items[this.#vacant + number - this.#first] = item;
  }

  /** The number of the first item for which `isBefore` is false, as it is for all behind it. */
  search(isBefore: (item: T, number: number) => boolean): number {
    let low = this.#first;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (isBefore(this.at(middle)!, middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
