import { getLogger } from "@logtape/logtape";
import { readKey, sha256 } from "../http/credentials.ts";
import type { Refusal } from "../http/refusals.ts";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";

/** Lines about one reason are at least so far apart, in milliseconds. */
const LOG_EVERY_MS = 10_000;
/** As many characters of a key's hash are logged: enough to find a document, too few to be a secret. */
const HASH_LENGTH = 8;
const LONGEST_ORIGIN = 100;

const log = getLogger(["keywire", "gateway"]);

/** Logs clients that are refused: why, their origin, and a short hash of their key, never the key. */
export class RefusalLog {
  readonly #limiter = new LogLimiter({
    everyMs: LOG_EVERY_MS,
    onOmitted: (detail, omitted) =>
      log.info("Refused {omitted} more clients: {detail}", { omitted, detail }),
  });

  /** A client was refused. */
  add({ status, detail }: Refusal, request: Request): void {
    const omitted = this.#limiter.take(detail);
    if (omitted === undefined) return;
    const key = readKey(request);
    log.info("Refused a client ({status}, key {keyHash}, origin {origin}): {detail}{more}", {
      status,
      detail,
      keyHash: key === undefined ? "none" : sha256(key).slice(0, HASH_LENGTH),
      origin: request.headers.get("Origin")?.slice(0, LONGEST_ORIGIN) ?? "none",
      more: omittedText(omitted),
    });
  }
}
