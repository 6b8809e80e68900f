import type { Message } from "../message.ts";
import { Queue } from "./queue.ts";

/** The numbers of the envelopes of each recipient. A name is forgotten with its last envelope. */
export class RecipientIndex {
  readonly #numbers = new Map<string, Queue<number>>();
  #everyone = new Queue<number>();

  /** The number of distinct recipients. */
  get size(): number {
    return this.#numbers.size;
  }

  /** Notes that the envelope `number`, the highest so far, is for `recipients`, who may repeat. */
  add(number: number, recipients: Message["recipients"]): void {
    if (recipients === "*") return this.#everyone.push(number);
    for (const recipient of recipients) {
      let numbers = this.#numbers.get(recipient);
      if (numbers === undefined) this.#numbers.set(recipient, numbers = new Queue());
      if (numbers.at(numbers.end - 1) !== number) numbers.push(number);
    }
  }

  /** Forgets the envelope `number`, the oldest, which was for `recipients`. */
  removeOldest(number: number, recipients: Message["recipients"]): void {
    if (recipients === "*") {
      this.#everyone.shift();
      return;
    }
    for (const recipient of recipients) {
      const numbers = this.#numbers.get(recipient);
      if (numbers === undefined || numbers.at(numbers.first) !== number) continue;
      numbers.shift();
      if (numbers.first === numbers.end) this.#numbers.delete(recipient);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#numbers.clear();
    this.#everyone = new Queue();
  }

  /**
   * The numbers from `from` on of what is for any of `recipients` or for everyone: ascending, each
   * once. The index must not change meanwhile.
   */
  *numbers(recipients: readonly string[], from: number): Generator<number> {
    const lists = [this.#everyone, ...recipients.map((recipient) => this.#numbers.get(recipient))]
      .filter((numbers) => numbers !== undefined)
      .map((numbers) => ({ numbers, next: numbers.search((number) => number < from) }));
    for (;;) {
      let lowest = Infinity;
      for (const { numbers, next } of lists) {
        lowest = Math.min(lowest, numbers.at(next) ?? Infinity);
      }
      if (lowest === Infinity) return;
      for (const list of lists) {
        if (list.numbers.at(list.next) === lowest) list.next++;
      }
      yield lowest;
    }
  }
}
