/**
 * The part of JSR's @std/assert that the tests use, over node:assert, for machines that do not reach
 * JSR. Elsewhere one line in deno.json ("@std/assert": "jsr:@std/assert@1") replaces it.
 */
import assertStrict from "node:assert/strict";

/** Asserts that `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value {
  assertStrict.ok(value, message);
}

/** Asserts deep, strict equality. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  assertStrict.deepStrictEqual(actual, expected, message);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  assertStrict.notDeepStrictEqual(actual, expected, message);
}

/** Asserts that a text contains another. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  assertStrict.ok(
    actual.includes(expected),
    message ?? `Expected ${JSON.stringify(actual)} to include ${JSON.stringify(expected)}`,
  );
}

/** Asserts that a text matches a pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  assertStrict.match(actual, expected, message);
}

/** Asserts that `value` is an instance of `type`. */
export function assertInstanceOf<T>(
  value: unknown,
  // deno-lint-ignore no-explicit-any -- the constructor's parameters do not matter, as in @std/assert
  type: new (...args: any[]) => T,
  message?: string,
): asserts value is T {
  assertStrict.ok(value instanceof type, message ?? `Expected an instance of ${type.name}`);
}

/** Asserts that `fn` throws an error of the given class whose message includes `includes`. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any -- see assertInstanceOf
  type?: new (...args: any[]) => E,
  includes?: string,
): E {
  try {
    fn();
  } catch (error) {
    return check(error, type, includes);
  }
  throw new assertStrict.AssertionError({ message: "Expected the function to throw" });
}

/** Asserts that `fn` rejects with an error of the given class whose message includes `includes`. */
export async function assertRejects<E extends Error = Error>(
  fn: () => Promise<unknown>,
  // deno-lint-ignore no-explicit-any -- see assertInstanceOf
  type?: new (...args: any[]) => E,
  includes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return check(error, type, includes);
  }
  throw new assertStrict.AssertionError({ message: "Expected the promise to be rejected" });
}

function check<E extends Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any -- see assertInstanceOf
  type: (new (...args: any[]) => E) | undefined,
  includes: string | undefined,
): E {
  assertInstanceOf(error, type ?? (Error as never));
  if (includes !== undefined) assertStringIncludes((error as Error).message, includes);
  return error as E;
}
