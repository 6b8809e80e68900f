/** Why a body was not read. */
export type BodyFault = "too_large" | "too_slow" | "not_utf8" | "busy" | "cut";

/** A body as text, or why there is none. */
export type Body = { readonly text: string } | { readonly fault: BodyFault };

export interface BodyReaderOptions {
  /** How long a body may take to arrive, in milliseconds. */
  readonly deadlineMs?: number;
  /** How many bodies may be on their way at once; what comes beyond is refused. */
  readonly maxBodies?: number;
  /** How many bytes of bodies that are on their way are held at once. */
  readonly maxHeldBytes?: number;
}

/**
 * Reads the bodies of requests: the runtime waits for them without an end, so each has a deadline,
 * and all together a bound. The text keeps every byte: a byte order mark, too.
 */
export class BodyReader {
  readonly #options: Required<BodyReaderOptions>;
  #bodies = 0;
  #heldBytes = 0;

  constructor(
    { deadlineMs = 5_000, maxBodies = 256, maxHeldBytes = 2 ** 26 }: BodyReaderOptions = {},
  ) {
    this.#options = { deadlineMs, maxBodies, maxHeldBytes };
  }

  /** How many bodies are on their way. */
  get reading(): number {
    return this.#bodies;
  }

  /** Reads the body of `request`; one larger than `maxBytes` is given up as soon as that shows. */
  async read(request: Request, maxBytes: number): Promise<Body> {
    if (Number(request.headers.get("Content-Length") ?? 0) > maxBytes) return giveUp(request);
    if (request.body === null) return { text: "" };
    if (this.#bodies >= this.#options.maxBodies) return { fault: "busy" };
    this.#bodies++;
    const reader = request.body.getReader();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reader.cancel().catch(() => {}); // its peer has gone
    }, this.#options.deadlineMs);
    const chunks: Uint8Array[] = [];
    let size = 0;
    let fault: BodyFault | undefined;
    try {
      while (fault === undefined) {
        const { value, done } = await reader.read();
        if (isLate) fault = "too_slow";
        if (done || isLate) break;
        chunks.push(value);
        size += value.length;
        this.#heldBytes += value.length;
        if (size > maxBytes) fault = "too_large";
        else if (this.#heldBytes > this.#options.maxHeldBytes) fault = "busy";
      }
    } catch {
      fault = isLate ? "too_slow" : "cut";
    } finally {
      clearTimeout(timer);
      this.#bodies--;
      this.#heldBytes -= size;
    }
    if (fault === undefined) return decode(chunks, size);
    reader.cancel().catch(() => {}); // its peer has gone
    return { fault };
  }
}

function giveUp(request: Request): Body {
  request.body?.cancel().catch(() => {}); // its peer has gone
  return { fault: "too_large" };
}

function decode(chunks: readonly Uint8Array[], size: number): Body {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { fault: "not_utf8" };
  }
}
