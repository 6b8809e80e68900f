import type { ServerEvent } from "../server_event.ts";
import type { Message } from "../message.ts";

/** A connection as the hub sees it. */
export interface Subscriber {
  /** The distinct names that it hears for. */
  readonly recipients: readonly string[];
  /** The hub's own note: the last delivery that reached this subscriber. */
  lastDelivery: number;
  /** Owes it an event. Never throws, and never makes a subscriber join or leave. */
  push(event: ServerEvent): void;
}

/** The connections of this node by recipient. A name is forgotten with its last connection. */
export class Hub {
  /** Most recipients have one subscriber, which then stands here alone: a set would cost more than it. */
  readonly #members = new Map<string, Subscriber | Set<Subscriber>>();
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

  /** Whether anyone here hears for `recipient`. */
  readonly has = (recipient: string): boolean => this.#members.has(recipient);

  /** From now on `subscriber` is owed the messages of its recipients. */
  join(subscriber: Subscriber): void {
    this.#all.add(subscriber);
    for (const recipient of subscriber.recipients) {
      const members = this.#members.get(recipient);
      if (members === undefined) this.#members.set(recipient, subscriber);
      else if (members instanceof Set) members.add(subscriber);
      else this.#members.set(recipient, new Set([members, subscriber]));
    }
  }

  /** Forgets `subscriber`. */
  leave(subscriber: Subscriber): void {
    if (!this.#all.delete(subscriber)) return;
    for (const recipient of subscriber.recipients) {
      const members = this.#members.get(recipient);
      if (members instanceof Set) {
        members.delete(subscriber);
        if (members.size > 0) continue;
      }
      this.#members.delete(recipient);
    }
  }

  /**
   * Owes `event` to every subscriber of `recipients`, once each though it hears for several of them.
   * Returns the number of subscribers.
   */
  deliver(recipients: Message["recipients"], event: ServerEvent): number {
    if (recipients === "*") return pushAll(this.#all, event);
    const delivery = ++this.#delivery;
    let count = 0;
    for (const recipient of recipients) {
      const members = this.#members.get(recipient);
      if (members === undefined) continue;
      if (members instanceof Set) {
        if (recipients.length === 1) return pushAll(members, event);
        for (const subscriber of members) count += pushOnce(subscriber, event, delivery);
      } else {
        count += pushOnce(members, event, delivery);
      }
    }
    return count;
  }
}

function pushAll(subscribers: Iterable<Subscriber>, event: ServerEvent): number {
  let count = 0;
  for (const subscriber of subscribers) {
    subscriber.push(event);
    count++;
  }
  return count;
}

function pushOnce(subscriber: Subscriber, event: ServerEvent, delivery: number): number {
  if (subscriber.lastDelivery === delivery) return 0;
  subscriber.lastDelivery = delivery;
  subscriber.push(event);
  return 1;
}
