/**
 * Finds what the tests need before they run, and installs it where that can be done by itself: on
 * Debian and its kin, as root. Elsewhere one line says what to install. Nothing is skipped quietly.
 *
 * A redis-server is needed even with TEST_REDIS_URL set: tests kill and freeze servers of their own.
 */
import { canInstall, install } from "./apt.ts";
import { findChromium } from "./chromium.ts";
import { findFerretdb } from "./ferretdb.ts";
import { hasGo, installGo } from "./go.ts";
import { ensureKubernetesSchemas } from "./kubernetes.ts";
import { ensureMongodb } from "./mongodb.ts";
import { succeeds } from "./run.ts";
import { say } from "./say.ts";

/** Something that must be on the machine. */
interface Need {
  readonly name: string;
  readonly isMet: () => Promise<boolean>;
  readonly meet: () => Promise<void>;
}

const NEEDS: readonly Need[] = [
  {
    name: "redis-server",
    isMet: () => succeeds("redis-server", "--version"),
    meet: () => install("redis-server"),
  },
  {
    name: "Chromium",
    isMet: () => findChromium().then(() => true, () => false),
    meet: () => install("chromium"),
  },
  {
    name: "openssl",
    isMet: () => succeeds("openssl", "version"),
    meet: () => install("openssl"),
  },
  // The proxies that deploy/ has a configuration for.
  {
    name: "nginx",
    isMet: () => succeeds("nginx", "-v"),
    meet: () => install("nginx"),
  },
  {
    name: "HAProxy",
    isMet: () => succeeds("haproxy", "-v"),
    meet: () => install("haproxy"),
  },
  {
    name: "Caddy",
    isMet: () => succeeds("caddy", "version"),
    meet: () => install("caddy"),
  },
  {
    name: "systemd-analyze",
    isMet: () => succeeds("systemd-analyze", "--version"),
    meet: () => install("systemd"),
  },
  {
    name: "promtool",
    isMet: () => succeeds("promtool", "--version"),
    meet: () => install("prometheus"),
  },
  // What follows runs the lines of the README for backends.
  {
    name: "curl",
    isMet: () => succeeds("curl", "--version"),
    meet: () => install("curl"),
  },
  {
    name: "Node with npm",
    isMet: async () => await succeeds("node", "--version") && await succeeds("npm", "--version"),
    meet: () => install("nodejs", "npm"),
  },
  {
    name: "Python 3 with pip",
    isMet: () => succeeds("python3", "-m", "pip", "--version"),
    meet: () => install("python3", "python3-pip"),
  },
  {
    name: "a MongoDB (TEST_MONGODB_URL, mongod, Docker, or Go 1.21 or later to build FerretDB)",
    isMet: hasMongodb,
    meet: installGo,
  },
];

async function hasMongodb(): Promise<boolean> {
  if (Deno.env.get("TEST_MONGODB_URL")) return true;
  return await succeeds("mongod", "--version") || await succeeds("docker", "info") ||
    await findFerretdb() !== undefined || await hasGo();
}

async function setUp(): Promise<void> {
  const missing: Need[] = [];
  for (const need of NEEDS) {
    if (!await need.isMet()) missing.push(need);
  }
  if (missing.length > 0 && !await canInstall()) {
    throw new Error(`The tests need ${missing.map(({ name }) => name).join(" and ")}: install it`);
  }
  for (const { name, isMet, meet } of missing) {
    await meet();
    if (!await isMet()) throw new Error(`Cannot find ${name}, though it was installed`);
  }
  await ensureKubernetesSchemas();
  await ensureMongodb();
}

if (import.meta.main) {
  try {
    await setUp();
  } catch (error) {
    await say(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
