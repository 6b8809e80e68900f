import type { Bus } from "../bus/port.ts";
import { MALFORMED } from "../core/malformed.ts";
import { type Malformed, parseMessage } from "../core/message.ts";
import { parseTraceparent } from "../core/traceparent.ts";
import type { Refusal } from "../http/refusals.ts";
import { type AskedPresence, type Audience, lookUpAudiences } from "./audience.ts";
import { busProblem } from "./bus_problem.ts";

/** How many envelopes are on their way to the bus at once. */
const AT_ONCE = 100;

/** An envelope that is one, ready to go out. */
export interface Envelope {
  readonly text: string;
  readonly recipients: readonly string[] | "*";
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
}

/** What became of an envelope that was accepted. */
export interface Published extends Audience {
  readonly cursor: string | undefined;
}

export interface PublisherOptions {
  readonly bus: Pick<Bus, "publish">;
  readonly presence: AskedPresence;
}

/** Publishes envelopes in their order, and says who was there just before. */
export class Publisher {
  readonly #options: PublisherOptions;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Returns as many results as there are envelopes, in the same order. Never throws. */
  async publish(envelopes: readonly Envelope[]): Promise<(Published | Refusal)[]> {
    const audiences = await lookUpAudiences(this.#options.presence, envelopes);
    const results: (Published | Refusal)[] = [];
    for (let at = 0; at < envelopes.length; at += AT_ONCE) {
      const slice = envelopes.slice(at, at + AT_ONCE);
      results.push(
        ...await Promise.all(
          slice.map((envelope, index) => this.#publish(envelope, audiences[at + index]!)),
        ),
      );
    }
    return results;
  }

  async #publish(
    { text, idempotencyKey, traceparent }: Envelope,
    audience: Audience,
  ): Promise<Published | Refusal> {
    try {
      const cursor = await this.#options.bus.publish(text, { idempotencyKey, traceparent });
      return { cursor, ...audience };
    } catch (error) {
      const repeat = idempotencyKey === undefined
        ? "with an Idempotency-Key a repeat does no harm"
        : "repeat it under the same Idempotency-Key";
      return busProblem(error, { action: "publish", repeat });
    }
  }
}

/** Checks an envelope before it goes out. Returns its recipients, or why it is none. */
export function checkEnvelope(
  text: string,
  maxBytes: number,
): Pick<Envelope, "recipients"> | Malformed {
  const message = parseMessage(text, maxBytes);
  return typeof message === "string" ? message : { recipients: message.recipients };
}

/** What a backend did wrong with an envelope, and what to do. */
export function malformedProblem(reason: Malformed): Refusal {
  return {
    status: reason === "too_large" ? 413 : 400,
    detail: `Cannot publish the envelope as ${MALFORMED[reason]}`,
  };
}

/**
 * The idempotency key that a request brings: undefined when it brings none.
 * @returns a refusal where it is malformed
 */
export function readIdempotencyKey(request: Request): string | undefined | Refusal {
  const key = request.headers.get("Idempotency-Key");
  if (key === null) return undefined;
  if (/^[\x21-\x7e]{1,128}$/.test(key)) return key;
  return {
    status: 400,
    detail: "Cannot publish as Idempotency-Key is wrong: it must be 1 to 128 visible characters",
  };
}

/** The trace that goes on with what a request publishes: undefined where it is not recorded. */
export function readTraceparent(request: Request): string | undefined {
  const traceparent = request.headers.get("traceparent");
  if (traceparent === null) return undefined;
  return parseTraceparent(traceparent)?.isSampled ? traceparent : undefined;
}
