/** Why a key is refused though a document seems to hold it: types that no key or expiry can have. */
import { getLogger } from "@logtape/logtape";
import { Binary, type Collection, type Document } from "mongodb";
import { rateLimited } from "../logging/rate_limited.ts";
import { reason } from "./mongo_client.ts";
import { valueAt } from "./recipients_of.ts";

const UUID_TEXT = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const OLD_UUID_SUBTYPE = 3;

const LOG_MS = 60_000;
/** How often it is looked why a key is not found, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

const logger = getLogger(["keywire", "keystores"]);

export interface MissExplainerOptions {
  readonly collection: Collection;
  readonly keyField: string;
  readonly expiresField: string | undefined;
  /** Aborts when the store is closed. */
  readonly closed: AbortSignal;
}

/** What is wrong with a document: its field, what that holds, and what it should hold. */
interface Diagnosis {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

/** Looks once in a while why a key is not found, and warns where its document is at fault. */
export class MissExplainer {
  readonly #options: MissExplainerOptions;
  #lookedAt = -Infinity;
  /** By field and what was found there. */
  readonly #warnings = new Map<string, () => void>();

  constructor(options: MissExplainerOptions) {
    this.#options = options;
  }

  /** Explains in the log why `key` is not found, where that is not plain. Never throws. */
  async explain(key: string | undefined): Promise<void> {
    const now = performance.now();
    if (key === undefined || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    try {
      const diagnosis = await this.#diagnose(key);
      if (diagnosis !== undefined) this.#warn(diagnosis);
    } catch (error) {
      logger.debug("Cannot see why a key is not found: {reason}", { reason: reason(error) });
    }
  }

  /** Looks for a document that holds `key` in a wrong type, or whose expiry is no date. */
  async #diagnose(key: string): Promise<Diagnosis | undefined> {
    const { collection, keyField, expiresField, closed } = this.#options;
    const fields = expiresField === undefined ? [keyField] : [keyField, expiresField];
    const document = await collection.findOne(
      { [keyField]: { $in: [key, ...lookalikes(key)] } },
      {
        projection: Object.fromEntries(fields.map((field) => [field, 1])),
        signal: AbortSignal.any([closed, AbortSignal.timeout(LOOK_EVERY_MS)]),
      },
    );
    if (document === null) return undefined;
    return wrongKey(document, keyField) ?? wrongExpiry(document, expiresField);
  }

  #warn({ field, found, expected }: Diagnosis): void {
    const id = `${field} ${found}`;
    const warn = this.#warnings.get(id) ?? rateLimited(LOG_MS, (times) =>
      logger.warning(
        "A key is refused as {field} of its document holds {found}: it must hold {expected} " +
          "({times})",
        { field, found, expected, times },
      ));
    this.#warnings.set(id, warn);
    warn();
  }
}

/** The values that print as `key` and are none that a key may be stored as. */
function lookalikes(key: string): unknown[] {
  const isNumber = /^-?\d{1,15}$/.test(key) && String(Number(key)) === key;
  const hex = UUID_TEXT.test(key) ? key.replaceAll("-", "") : undefined;
  return [
    ...isNumber ? [Number(key)] : [],
    ...hex === undefined ? [] : [new Binary(Uint8Array.fromHex(hex), OLD_UUID_SUBTYPE)],
  ];
}

function wrongKey(document: Document, field: string): Diagnosis | undefined {
  const value = valueAt(document, field);
  const expected = "a string, an ObjectId or a UUID (binary subtype 4)";
  if (typeof value === "number" || typeof value === "bigint") {
    return { field, found: "a number", expected };
  }
  const isOld = value instanceof Binary && value.sub_type === OLD_UUID_SUBTYPE;
  return isOld ? { field, found: "a UUID of the old binary subtype 3", expected } : undefined;
}

function wrongExpiry(document: Document, field: string | undefined): Diagnosis | undefined {
  if (field === undefined) return undefined;
  const value = valueAt(document, field);
  if (value instanceof Date) return undefined;
  const found = value === undefined ? "nothing" : `a ${value === null ? "null" : typeof value}`;
  return { field, found, expected: "a date" };
}
