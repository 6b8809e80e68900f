import { Keywire } from "../../webpage/keywire.js";
import type { Heard } from "./account.ts";

/** What a client can be told besides messages. */
export type Word = "recovered" | "not recovered" | "gap";

/** How a {@link ChaosClient} listens. */
export interface ChaosClientOptions {
  readonly recipient: string;
  readonly transport: "websocket" | "sse";
  /** Called with each word that it is told. */
  readonly onWord: (word: Word) => void;
}

/** A client, and all that it heard. */
export interface ChaosListener extends Disposable {
  readonly recipient: string;
  readonly heard: readonly Heard[];
  /** The highest serial number that it heard; -1 before the first. */
  readonly reached: number;
  /** Whether it is connected, for all that it knows. */
  readonly isOpen: boolean;
}

/** The client that browsers use, quick to notice and quick to come back, and all that it heard. */
export class ChaosClient implements ChaosListener {
  readonly recipient: string;
  readonly heard: Heard[] = [];
  /** The highest serial number that it heard; -1 before the first. */
  reached = -1;
  readonly #keywire: Keywire;

  constructor(url: string, { recipient, transport, onWord }: ChaosClientOptions) {
    this.recipient = recipient;
    const keywire = this.#keywire = new Keywire(url, {
      key: recipient,
      transport,
      minDelayMs: 100,
      maxDelayMs: 1_000,
      pingMs: 1_500,
      dialMs: 3_000,
      gapJitterMs: 0, // where it stands among the messages is what the account is made of
    });
    keywire.addEventListener("message", ({ data }) => {
      const serial = data.n as number;
      this.heard.push(serial);
      this.reached = Math.max(this.reached, serial);
    });
    keywire.addEventListener("gap", () => {
      this.heard.push("told"); // Also after a welcome that says false.
      onWord("gap");
    });
    keywire.addEventListener("welcome", ({ recovered }) => {
      if (recovered !== undefined) onWord(recovered ? "recovered" : "not recovered");
    });
  }

  /** Whether it is connected, for all that it knows. */
  get isOpen(): boolean {
    return this.#keywire.state === "open";
  }

  /** For people: who it is and how it is. */
  toString(): string {
    const { state, transport, cursor } = this.#keywire;
    return `${this.recipient} by ${transport}: ${state}, at ${this.reached}, cursor ${cursor}`;
  }

  [Symbol.dispose](): void {
    this.#keywire.close();
  }
}
