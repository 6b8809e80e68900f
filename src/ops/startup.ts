/** What the start tells people: where the page is, what is embedded, or why it stops. */
import { getLogger } from "@logtape/logtape";
import { reportDescriptors } from "./descriptors.ts";
import { describeSettings } from "../settings/describe_settings.ts";
import { settingWarnings } from "../settings/setting_warnings.ts";
import {
  InvalidSetting,
  isKeyStoreEmbedded,
  isLoopback,
  KEY_STORE_NAMES,
  type Settings,
} from "../settings/settings.ts";

const log = getLogger(["keywire"]);

/** Whether everything is embedded and only this machine reaches it, so that no token is needed. */
export function isOpen(settings: Settings): boolean {
  const { redisUrl, host, apiTokens } = settings;
  const isEmbedded = redisUrl === undefined && isKeyStoreEmbedded(settings);
  return isEmbedded && isLoopback(host) && apiTokens.length === 0;
}

/** Logs where the page is, how to publish, which parts are embedded, and how far descriptors go. */
export function logStartup(settings: Settings, version: string): void {
  const { host, port, redisUrl, embeddedKeys } = settings;
  const at = `http://${isLoopback(host) || host === "0.0.0.0" ? "localhost" : host}:${port}`;
  log.info(`Keywire ${version} serves its page at ${at}/`);
  const embedded = [
    ...redisUrl === undefined ? ["the bus (set REDIS_URL to use Redis)"] : [],
    ...isKeyStoreEmbedded(settings)
      ? [`the key store (set ${KEY_STORE_NAMES} to use a real one)`]
      : [],
  ];
  if (embedded.length > 0) log.info(`Embedded: ${embedded.join("; ")}`);
  const descriptors = reportDescriptors(settings);
  if (descriptors.isEnough) log.info(descriptors.text);
  else log.warn(descriptors.text);
  if (isOpen(settings)) {
    const envelope = JSON.stringify({ recipients: [embeddedKeys[0]], hello: "world" });
    const curl = `curl -sS ${at}/api/publish -H 'Content-Type: application/json' -d '${envelope}'`;
    log.info(`Publish to the demo key: ${curl.replace(/[{}]/g, "$&$&")}`); // doubled, they are braces
  }
}

/**
 * Logs the settings in effect, without secrets: in words those that are set, as the others have their
 * defaults; all of them among the properties of the line. `environment` is all variables.
 */
export function logSettings(environment: Readonly<Record<string, string>>): void {
  const { all, set } = describeSettings(environment);
  const text = set.map((name) => `${name}=${all[name]}`).join(" ");
  const words = text === "" ? "all are defaults" : `${text}; the others are defaults`;
  log.info(`Settings: ${words.replace(/[{}]/g, "$&$&")}`, { settings: all });
}

/** Logs what is odd about the variables that are set: `environment` is all of them. */
export function logSettingWarnings(environment: Readonly<Record<string, string>>): void {
  for (const warning of settingWarnings(environment)) log.warn(warning);
}

/** Stops the start with one line. */
export function exitWith(line: string): never {
  // deno-lint-ignore no-console -- the log has no settings yet, and people look at stderr
  console.error(line);
  Deno.exit(1);
}

/** What `open` returns; an invalid setting stops the start with one line that says what is expected. */
export function exitOnInvalidSetting<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof InvalidSetting) return exitWith(error.message);
    throw error;
  }
}

/** Runs `action`; where it throws, the start stops with the error's one line. */
export function exitOnFailure(action: () => void): void {
  try {
    action();
  } catch (error) {
    exitWith((error as Error).message);
  }
}
