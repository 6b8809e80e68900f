import { Environment } from "./environment.ts";
import { isKeyStoreEmbedded, KEY_STORE_NAMES, KEY_STORES, readSettingsFrom } from "./settings.ts";

/** Variables of a part, and the variable without which that part is not in use. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  MONGODB_URL: [
    "MONGODB_DATABASE",
    "MONGODB_COLLECTION",
    "MONGODB_KEY_FIELD",
    "MONGODB_RECIPIENT_FIELD",
    "MONGODB_FILTER",
    "MONGODB_EXPIRES_FIELD",
  ],
  REDIS_URL: [
    "REDIS_PREFIX",
    "REBALANCE",
    "REDIS_SENTINEL_USERNAME",
    "REDIS_SENTINEL_PASSWORD",
    "CONNECTED_CHANNEL",
    "DISCONNECTED_CHANNEL",
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"],
};

/** Variables whose value is a name, which may be any text; and what a name hardly begins or ends with. */
const NAMES = /_(?:CHANNEL|STREAM|COLLECTION|FIELD)$/;
const WRAPPED = /^[\s"']|[\s"']$/;

/**
 * What is odd about the variables that are set, a line each: some belong to a part that is not in use,
 * some have a name that is one letter off. No value is shown.
 *
 * @param environment every variable that is set, for which `readSettings` finds nothing wrong
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(settingWarnings({ REDIS_ULR: "redis://localhost" }), [
 *   "REDIS_ULR is no setting: do you mean REDIS_URL?",
 * ]);
 * ```
 */
export function settingWarnings(environment: Readonly<Record<string, string>>): string[] {
  const env = new Environment((name) => environment[name]);
  const settings = readSettingsFrom(env);
  const known = [...env.variables.keys()];
  const isSet = (name: string) => environment[name] !== undefined;
  const names = Object.keys(environment).sort();
  const unused = Object.entries(PARTS).flatMap(([url, variables]) =>
    isSet(url) ? [] : names.filter((name) => variables.includes(name))
      .map((name) => `${name} is ignored, as ${url} is not set`)
  );
  if (isKeyStoreEmbedded(settings) && isSet("MONGODB_TIMEOUT_MS")) {
    unused.push(`MONGODB_TIMEOUT_MS is ignored, as ${KEY_STORE_NAMES} is not set`);
  }
  const [store, ...others] = [...Object.values(KEY_STORES), "EMBEDDED_KEYS"].filter(isSet);
  unused.push(...others.map((name) => `${name} is ignored, as ${store} is set`));
  if (settings.otelDeno && isSet("OTEL_EXPORTER_OTLP_ENDPOINT")) {
    unused.push("OTEL_EXPORTER_OTLP_ENDPOINT is the runtime's, as OTEL_DENO is set");
  }
  // Files of variables keep what shells take away.
  const wrapped = names
    .filter((name) => known.includes(name) && NAMES.test(name) && WRAPPED.test(environment[name]!))
    .map((name) => `${name} begins or ends with a blank or a quote, which is a part of the name`);
  const misspelled = names.filter((name) => !known.includes(name)).flatMap((name) => {
    const meant = known.find((setting) => isOneLetterOff(name, setting));
    return meant === undefined ? [] : [`${name} is no setting: do you mean ${meant}?`];
  });
  return [...unused, ...wrapped, ...misspelled];
}

/** Whether a letter is missing, too much, wrong, or two that stand together are exchanged. */
function isOneLetterOff(name: string, setting: string): boolean {
  if (name.length < 5) return false; // Short names are other programs': `POST` is no `PORT`.
  let start = 0;
  while (start < name.length && name[start] === setting[start]) start++;
  const [rest, wanted] = [name.slice(start), setting.slice(start)];
  return rest.slice(1) === wanted || rest === wanted.slice(1) ||
    (rest.slice(1) === wanted.slice(1) && rest !== "") ||
    (rest.slice(2) === wanted.slice(2) && rest[0] === wanted[1] && rest[1] === wanted[0]);
}
