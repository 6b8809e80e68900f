import type { Event } from "./event.ts";
import type { Message } from "./message.ts";

/** A connection as the hub sees it. */
export interface Subscriber {
  /** The distinct names that it hears for. */
  readonly recipients: readonly string[];
  /** The hub's own note: the last delivery that reached this subscriber. */
  lastDelivery: number;
  /** Owes it an event. Never throws, and never makes a subscriber join or leave. */
  push(event: Event): void;
}

/** Who is connected here, and for which recipients they hear. Nothing of a name is kept after its last. */
export class Hub {
  readonly #members = new Map<string, Set<Subscriber>>();
  readonly #all = new Set<Subscriber>();
  #delivery = 0;

  /** The number of subscribers. */
  get size(): number {
    return this.#all.size;
  }

  /** The number of distinct recipients. */
  get recipients(): number {
    return this.#members.size;
  }

  /** The number of subscribers that hear for `recipient`. */
  count(recipient: string): number {
    return this.#members.get(recipient)?.size ?? 0;
  }

  /** Whether anyone here hears for `recipient`. */
  readonly has = (recipient: string): boolean => this.#members.has(recipient);

  /** Lets `subscriber` hear what comes. Returns the recipients that nobody heard for before. */
  join(subscriber: Subscriber): string[] {
    this.#all.add(subscriber);
    const first: string[] = [];
    for (const recipient of subscriber.recipients) {
      const members = this.#members.get(recipient);
      if (members === undefined) {
        this.#members.set(recipient, new Set([subscriber]));
        first.push(recipient);
      } else {
        members.add(subscriber);
      }
    }
    return first;
  }

  /** Forgets `subscriber`. Returns the recipients that nobody hears for any more. */
  leave(subscriber: Subscriber): string[] {
    if (!this.#all.delete(subscriber)) return [];
    const last: string[] = [];
    for (const recipient of subscriber.recipients) {
      const members = this.#members.get(recipient);
      if (members?.delete(subscriber) && members.size === 0) {
        this.#members.delete(recipient);
        last.push(recipient);
      }
    }
    return last;
  }

  /**
   * Owes `event` to every subscriber of `recipients`, once each though it hears for several of them.
   * Returns the number of subscribers.
   */
  deliver(recipients: Message["recipients"], event: Event): number {
    if (recipients === "*") return pushAll(this.#all, event);
    const [only] = recipients;
    if (recipients.length === 1) return pushAll(this.#members.get(only!) ?? [], event);
    const delivery = ++this.#delivery;
    let count = 0;
    for (const recipient of recipients) {
      const members = this.#members.get(recipient);
      if (members === undefined) continue;
      for (const subscriber of members) {
        if (subscriber.lastDelivery === delivery) continue;
        subscriber.lastDelivery = delivery;
        subscriber.push(event);
        count++;
      }
    }
    return count;
  }

  /** All subscribers, for what concerns each of them. */
  [Symbol.iterator](): Iterator<Subscriber> {
    return this.#all.values();
  }
}

function pushAll(subscribers: Iterable<Subscriber>, event: Event): number {
  let count = 0;
  for (const subscriber of subscribers) {
    subscriber.push(event);
    count++;
  }
  return count;
}
