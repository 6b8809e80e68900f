/** `deno task add-key [recipient] [--key <key>] [--days <days>]`: prints a key that may connect. */
import { parseArgs } from "node:util";
import {
  InvalidSetting,
  KEY_STORE_NAMES,
  keyStoreSetting,
  readSettings,
} from "../settings/settings.ts";
import { addKey } from "../keystores/mongo_add_key.ts";
import { mongoOptions } from "../keystores/open_key_store.ts";

const DAY_MS = 86_400_000;
const USAGE = `deno task add-key [recipient] [--key <key>] [--days <days>]

Adds a key that may connect to MongoDB, and prints it.

  recipient        whom the key hears for; only with MONGODB_RECIPIENT_FIELD
  --key <key>      the key itself (default: 192 random bits)
  --days <days>    how long it may connect (default: 30); only with MONGODB_EXPIRES_FIELD
  --help           this text

MONGODB_URL names the server; MONGODB_DATABASE (myDB) and MONGODB_COLLECTION (myCollection) say where.`;

if (import.meta.main) {
  try {
    await write(Deno.stdout, await add(Deno.args));
  } catch (error) {
    await write(Deno.stderr, error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

async function add(args: string[]): Promise<string> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      key: { type: "string" },
      days: { type: "string", default: "30" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return USAGE;
  const [recipient, ...more] = positionals;
  if (more.length > 0) throw new TypeError("Cannot add a key for more than one recipient");
  const days = Number(values.days);
  if (!(days > 0)) throw new TypeError(`--days must be more than 0, not "${values.days}"`);
  const settings = readSettings((name) => Deno.env.get(name));
  const options = mongoOptions(settings);
  const store = keyStoreSetting(settings);
  if (store === undefined) {
    throw new InvalidSetting(
      `${KEY_STORE_NAMES} is not set: the embedded keys are those in EMBEDDED_KEYS`,
    );
  }
  if (options === undefined || store !== "MONGODB_URL") {
    throw new InvalidSetting(
      `${store} names the key store: add the key there, as add-key adds to MongoDB alone`,
    );
  }
  const expires = options.expiresField === undefined
    ? undefined
    : new Date(Date.now() + days * DAY_MS);
  return await addKey(options, { key: values.key, recipient, expires });
}

async function write(to: typeof Deno.stdout, line: string): Promise<void> {
  await to.write(new TextEncoder().encode(`${line}\n`));
}
