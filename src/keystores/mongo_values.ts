/** Keys as values of the database. */
import { ObjectId, UUID } from "mongodb";
import { textOf } from "./recipients_of.ts";

/** What a key can be there. Nothing that a client sends becomes anything else. */
export type Value = string | ObjectId | UUID;

const OBJECT_ID = /^[0-9a-f]{24}$/i;
const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What `key` may be in the database: itself, and the types whose text it is. */
export function candidates(key: string): Value[] {
  if (OBJECT_ID.test(key)) return [key, ObjectId.createFromHexString(key)];
  if (UUID_TEXT.test(key)) return [key, new UUID(key)];
  return [key];
}

/** Tells values apart, a text from the ObjectId or UUID that it spells. */
export function identity(value: unknown): string {
  return `${typeof value} ${textOf(value)}`;
}
