import { parseAddress, parseCidr } from "../core/ip_address.ts";
import { parseRedisUrl } from "../core/redis_url.ts";
import type { TextRule } from "./environment.ts";

// Of a URL only the frame is checked; its driver knows the rest. Hosts stand in a list, which URL
// does not understand.
const CREDENTIALS = String.raw`(?:[^/?#\s]*@)?`;
const HOST = String.raw`(?:\[[0-9a-f:.]+\]|[\w.%-]+)(?::\d{1,5})?`;
const HOSTS = `${HOST}(?:,${HOST})*`;
const MONGODB = String.raw`mongodb(?:\+srv)?://${CREDENTIALS}${HOSTS}(?:/\S*)?`;

/** What the texts among the settings must look like. */
export const SETTING_RULES = {
  redisUrl: {
    expected: "redis://host:6379, redis+sentinel://host:26379,host:26379/master or " +
      "redis+cluster://host:6379,host:6379, with TLS rediss (it is set, and not shown)",
    test: (text) => faultOfRedisUrl(text) === undefined,
    explain: (text) => faultOfRedisUrl(text) ?? "",
    secret: "credentials",
  },
  sentinelCredential: {
    expected: "1 to 256 characters (it is set, and not shown)",
    test: (text) => text.length > 0 && text.length <= 256,
    secret: true,
  },
  mongodbUrl: {
    expected: "mongodb://host:27017 or mongodb+srv://host (it is set, and not shown)",
    test: matches(`^${MONGODB}$`),
    secret: "credentials",
  },
  host: {
    expected: "an IP address without brackets, or a host name",
    test: (text) =>
      parseAddress(text) !== undefined || /^(?=.*[a-z])[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text),
  },
  name: {
    expected: "1 to 256 characters, none of them a control character",
    test: (text) => text.length <= 256 && isPrintable(text),
  },
  prefix: {
    expected: "1 to 64 letters, digits, or any of . _ : -",
    test: (text) => /^[\w.:-]{1,64}$/.test(text),
  },
  database: {
    expected: "a database name of 1 to 63 letters, digits, _ or -",
    test: (text) => /^[\w-]{1,63}$/.test(text),
  },
  collection: {
    expected: "a collection name, without $ and not starting with system.",
    test: (text) => isPrintable(text) && !/\$|^system\./.test(text),
  },
  field: {
    expected: "the name of a field such as _id or user.id, no part of it empty or starting with $",
    test: (text) => isPrintable(text) && text.split(".").every((part) => /^[^$]/.test(part)),
  },
  filter: {
    expected: 'a JSON object such as {"active":true}',
    test: isJsonObject,
  },
  key: {
    expected: "a comma-separated list of keys, each of 1 to 256 bytes without control characters",
    test: (text) => isPrintable(text) && new TextEncoder().encode(text).length <= 256,
    secret: true,
  },
  token: {
    expected: "a comma-separated list of tokens, each of at least 32 visible ASCII characters",
    test: (text) => /^[!-~]{32,}$/.test(text),
    secret: true,
  },
  origin: {
    expected: "* or a comma-separated list of exact origins such as https://example.org: " +
      "lower case, no path, no default port",
    test: isOrigin,
  },
  proxy: {
    expected: "a comma-separated list of addresses and CIDRs such as 10.0.0.0/8",
    test: (text) => parseCidr(text) !== undefined,
  },
} as const satisfies Record<string, TextRule>;

function matches(pattern: string): (text: string) => boolean {
  const expression = new RegExp(pattern, "i");
  return (text) => expression.test(text);
}

/** What is wrong with a `REDIS_URL`, by the parser that the connections use. */
function faultOfRedisUrl(text: string): string | undefined {
  try {
    parseRedisUrl(text);
  } catch (error) {
    return (error as Error).message;
  }
}

function isPrintable(text: string): boolean {
  return /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(text) && text.isWellFormed();
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Whether a browser would write it so: a default port or an upper-case letter would match nothing. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*]+$/.test(text) || text !== text.toLowerCase()) {
    return false;
  }
  return !/^https?:/.test(text) || URL.parse(text)?.origin === text;
}
