/**
 * Fuzzes the HTTP API from its own description, /openapi.json, with schemathesis: no answer may be a
 * 500, and none may be one that the description does not allow. Against an embedded node, and against
 * one on a real Redis. More arguments go to `schemathesis run`.
 */
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { makeVenv } from "../support/venv.ts";

const VERSION = "4.32.5";
const TOKEN = "the-token-of-the-fuzzer-of-the-tests";
/**
 * Not `negative_data_rejection`: in a batch an item that is no envelope has a result of its own. Nor
 * `positive_data_acceptance`: JSON Schema cannot say that a key has at most 256 bytes.
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "missing_required_header",
  "unsupported_method",
  "allow_header_conformance",
  "ignored_auth",
];

async function run(program: string, args: readonly string[]): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "keywire-fuzz-" }); // it leaves its notes there
  const { code } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: {
      PYTHONPATH: import.meta.dirname!,
      SCHEMATHESIS_HOOKS: "ndjson",
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  await Deno.remove(cwd, { recursive: true });
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

async function fuzz(program: string, url: string): Promise<boolean> {
  try {
    await run(program, [
      "run",
      `${url}/openapi.json`,
      "--header",
      `Authorization: Bearer ${TOKEN}`,
      "--checks",
      CHECKS.join(","),
      "--warnings",
      "off",
      ...Deno.args,
    ]);
    return true;
  } catch (error) {
    await say((error as Error).message);
    return false;
  }
}

const { bin } = await makeVenv(`schemathesis-${VERSION}`, [`schemathesis==${VERSION}`]);
const program = `${bin}/schemathesis`;
const results: boolean[] = [];
await using redis = await startRedis();
for (const env of [{}, { REDIS_URL: redis.url }]) {
  await using gateway = await startKeywire({ ...env, API_TOKEN: TOKEN });
  results.push(await fuzz(program, gateway.url));
  const response = await fetch(`${gateway.url}/ready`);
  await response.body?.cancel();
  results.push(response.ok);
  if (/ERROR|error:/.test(gateway.log)) {
    await say(gateway.log);
    results.push(false);
  }
}
if (results.includes(false)) Deno.exitCode = 1;
