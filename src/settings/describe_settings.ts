import { Environment, type TextRule } from "./environment.ts";
import { readSettingsFrom, type Settings } from "./settings.ts";

/** Settings whose name is not that of their field. */
const FIELDS: Readonly<Record<string, keyof Settings>> = { API_TOKEN: "apiTokens" };
const LONGEST = 200;

/** The settings in effect, as the log shows them. */
export interface DescribedSettings {
  /** Every setting and its value, those that hold secrets as `set` or `unset`. */
  readonly all: Readonly<Record<string, string>>;
  /** The names of those that the environment sets. */
  readonly set: readonly string[];
}

/**
 * Says which settings are in effect, without secrets: of a URL neither credentials nor query is shown.
 *
 * @param environment every variable that is set, for which `readSettings` finds nothing wrong
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const { all, set } = describeSettings({ REDIS_URL: "redis://ann:secret@localhost:6379/1" });
 * assertEquals(set, ["REDIS_URL"]);
 * assertEquals(all.REDIS_URL, "redis://***@localhost:6379/1");
 * assertEquals(all.PORT, "8088");
 * ```
 */
export function describeSettings(
  environment: Readonly<Record<string, string>>,
): DescribedSettings {
  const env = new Environment((name) => environment[name]);
  const settings = readSettingsFrom(env);
  const names = [...env.variables.keys()];
  const describe = (name: string) => {
    const value = settings[(FIELDS[name] ?? fieldOf(name)) as keyof Settings];
    return describeOne(environment[name], value, env.variables.get(name));
  };
  return {
    all: Object.fromEntries(names.map((name) => [name, describe(name)])),
    set: names.filter((name) => environment[name] !== undefined),
  };
}

/** What may be shown of a value that was read from `text`. */
function describeOne(text: string | undefined, value: unknown, secret: TextRule["secret"]): string {
  if (secret === true) return describeSecret(text, value);
  if (text !== undefined && secret === "credentials") return withoutSecrets(text);
  if (text !== undefined) return text === "" ? "off" : text.slice(0, LONGEST);
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "unset";
  return typeof value === "boolean" ? String(Number(value)) : String(value);
}

function describeSecret(text: string | undefined, value: unknown): string {
  const count = Array.isArray(value) && value.length > 0 ? ` (${value.length})` : "";
  return text === undefined ? count === "" ? "unset" : `default${count}` : `set${count}`;
}

/** `MAX_BUFFERED_BYTES` is read into `maxBufferedBytes`. */
function fieldOf(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A URL up to its query, its credentials masked: an `@` in a password stands before the last one. */
function withoutSecrets(url: string): string {
  const [, scheme = "", rest = ""] = /^([^:]*:\/\/)(.*)$/s.exec(url) ?? [];
  const at = rest.lastIndexOf("@");
  const [where, query] = rest.slice(at + 1).split("?", 2);
  return `${scheme}${at < 0 ? "" : "***@"}${where}${query === undefined ? "" : "?***"}`;
}
