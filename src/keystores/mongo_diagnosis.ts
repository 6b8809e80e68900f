/** Why a key is refused though a document seems to hold it: types that no key or expiry can have. */
import { Binary, type Collection, type Document } from "mongodb";
import { valueAt } from "./recipients_of.ts";

const UUID_TEXT = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const OLD_UUID_SUBTYPE = 3;

/** Where a document is looked for, and by which fields. */
export interface DiagnosisOptions {
  readonly collection: Collection;
  readonly keyField: string;
  readonly expiresField: string | undefined;
  readonly signal: AbortSignal;
}

/** What is wrong with a document: its field, what that holds, and what it should hold. */
export interface Diagnosis {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

/**
 * Looks for a document that holds `key` in a type that no look-up finds, or whose expiry is no date.
 * @returns undefined when there is none: the key is not known
 */
export async function diagnose(
  key: string,
  { collection, keyField, expiresField, signal }: DiagnosisOptions,
): Promise<Diagnosis | undefined> {
  const fields = expiresField === undefined ? [keyField] : [keyField, expiresField];
  const document = await collection.findOne(
    { [keyField]: { $in: [key, ...lookalikes(key)] } },
    { projection: Object.fromEntries(fields.map((field) => [field, 1])), signal },
  );
  if (document === null) return undefined;
  return wrongKey(document, keyField) ?? wrongExpiry(document, expiresField);
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
