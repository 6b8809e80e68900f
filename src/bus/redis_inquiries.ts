import { readMembers } from "../core/read_members.ts";
import type { Inquiries } from "./port.ts";
import type { Ask } from "./redis_repeat.ts";

/** What {@link RedisInquiries} needs. */
export interface RedisInquiriesOptions {
  /** Sends one command, once; rejects with `BusUnavailable`. */
  readonly ask: Ask;
  /** The channel where the nodes speak with each other. */
  readonly control: string;
  readonly nodeId: string;
}

/** How each text of this kind begins; a node of an older version ignores both. */
const QUESTION = '{"type":"question",';
const ANSWER = '{"type":"answer",';
/** A node answers so many questions a second at most. */
const MAX_ANSWERS = 50;

interface Asked {
  readonly answers: Map<string, unknown>;
  readonly onAnswer: () => void;
}

/** Questions and answers from node to node, on the control channel. */
export class RedisInquiries implements Inquiries {
  readonly #options: RedisInquiriesOptions;
  readonly #asked = new Map<string, Asked>();
  #answer: ((question: unknown) => unknown) | undefined;
  #count = 0;
  #second = 0;
  #answered = 0;

  constructor(options: RedisInquiriesOptions) {
    this.#options = options;
  }

  answerWith(answer: (question: unknown) => unknown): void {
    this.#answer = answer;
  }

  async ask(
    question: unknown,
    { waitMs, enough }: Parameters<Inquiries["ask"]>[1],
  ): Promise<ReadonlyMap<string, unknown>> {
    const { nodeId } = this.#options;
    const id = `${nodeId}-${(++this.#count).toString(36)}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const answers = new Map<string, unknown>();
    this.#asked.set(id, { answers, onAnswer: () => enough(answers) && resolve() });
    const timer = setTimeout(resolve, waitMs);
    this.#publish({ type: "question", id, question });
    await promise;
    clearTimeout(timer);
    this.#asked.delete(id);
    // A node that is cut off from Redis can still say what it knows itself.
    const own = answers.has(nodeId) ? undefined : this.#answer?.(question);
    if (own !== undefined) answers.set(nodeId, own);
    return answers;
  }

  /** Takes a text of the control channel. Returns whether it was a question or an answer. */
  hear(text: string): boolean {
    if (text.startsWith(QUESTION)) this.#hearQuestion(text);
    else if (text.startsWith(ANSWER)) this.#hearAnswer(text);
    else return false;
    return true;
  }

  #hearQuestion(text: string): void {
    const { id, question } = readMembers(text);
    if (typeof id !== "string" || this.#isTooMany()) return;
    const answer = this.#answer?.(question);
    if (answer === undefined) return;
    this.#publish({ type: "answer", id, node: this.#options.nodeId, answer });
  }

  #hearAnswer(text: string): void {
    if (this.#asked.size === 0) return; // Most are for others.
    const { id, node, answer } = readMembers(text);
    const asked = this.#asked.get(String(id));
    if (asked === undefined || typeof node !== "string") return;
    asked.answers.set(node, answer);
    asked.onAnswer();
  }

  #publish(message: object): void {
    // Without an answer in time the node is named as silent.
    this.#options.ask("publish", this.#options.control, JSON.stringify(message)).catch(() => {});
  }

  #isTooMany(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) this.#answered = 0;
    this.#second = second;
    return ++this.#answered > MAX_ANSWERS;
  }
}
