/** A setting is wrong: the message is one line that names it and says what is expected. */
export class InvalidSetting extends Error {
  override name = "InvalidSetting";
}

/** What a reader needs to know to say what is expected. */
export interface TextRule {
  /** What is expected, as the end of `X must be …`. */
  readonly expected: string;
  readonly test: (value: string) => boolean;
  /** What is wrong with a value that fails the test, without showing it. */
  readonly explain?: (value: string) => string;
  /** Never shown: all of it, or of a URL its credentials and its query. */
  readonly secret?: true | "credentials";
}

/** The bounds of an integer. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
  /** Why the bounds are where they are, when that is not plain. */
  readonly because?: string;
}

/**
 * Reads variables strictly: a value is valid as it stands, or it is refused in one line; so is an
 * empty text. Nothing is trimmed, rounded or guessed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const environment = new Environment((name) => name === "PORT" ? "80" : undefined);
 * assertEquals(environment.integer("PORT", { default: 8088, from: 0, to: 65535 }), 80);
 * ```
 */
export class Environment {
  readonly #get: (name: string) => string | undefined;
  /** The variables that were asked for, and what of each is a secret. */
  readonly variables = new Map<string, TextRule["secret"]>();

  /** @param get looks a name up; undefined when it is not set */
  constructor(get: (name: string) => string | undefined) {
    this.#get = get;
  }

  /** The text as it is, undefined when it is not set. */
  raw(name: string): string | undefined {
    return this.#read(name);
  }

  /** A text that `rule` lets through. */
  text(name: string, rule: TextRule): string | undefined {
    const value = this.#read(name, rule);
    if (value !== undefined && !rule.test(value)) throw wrong(name, value, rule);
    return value;
  }

  /** A comma-separated list, blanks around its entries cut, each of which `rule` lets through. */
  list(name: string, rule: TextRule): string[] | undefined {
    const value = this.#read(name, rule);
    const entries = value?.split(",").map((entry) => entry.trim());
    for (const entry of entries ?? []) {
      if (!rule.test(entry)) throw wrong(name, entry, rule);
    }
    return entries;
  }

  /** One of a few values. */
  oneOf<W extends string>(name: string, values: readonly W[]): W | undefined {
    const expected = values.join(", ").replace(/, (\w+)$/, " or $1");
    return this.text(name, {
      expected,
      test: (value) => (values as readonly string[]).includes(value),
    }) as W | undefined;
  }

  /** An integer in decimal, without sign, leading zeros or blanks; `default` when it is not set. */
  integer(
    name: string,
    { default: defaultValue, ...bounds }: Bounds & { readonly default: number },
  ): number {
    return this.optionalInteger(name, bounds) ?? defaultValue;
  }

  /** As `integer`, but undefined when it is not set. */
  optionalInteger(name: string, { from, to, because = "" }: Bounds): number | undefined {
    const value = this.text(name, {
      expected: `an integer from ${from} to ${to}${because}`,
      test: (text) => /^(?:0|[1-9]\d{0,15})$/.test(text) && +text >= from && +text <= to,
    });
    return value === undefined ? undefined : Number(value);
  }

  #read(name: string, rule?: TextRule): string | undefined {
    this.variables.set(name, rule?.secret ?? this.variables.get(name));
    return this.#get(name);
  }
}

function wrong(name: string, value: string, rule: TextRule): InvalidSetting {
  const { expected, explain, secret } = rule;
  const why = explain === undefined ? "" : `: ${explain(value)}`;
  const is = secret ? "" : ` is ${quoted(value)} but`;
  return new InvalidSetting(`${name}${is} must be ${expected}${why}`);
}

/** A value on one line, however long and whatever is in it. */
function quoted(value: string): string {
  const text = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
