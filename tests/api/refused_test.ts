import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

const TOKEN = "a-token-of-thirty-two-characters";
const ENVELOPE = '{"recipients":["demo"],"n":1}';

Deno.test("POST /api/publish: what Redis refused was not done, and what it did not answer may have been", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url, API_TOKEN: TOKEN });
  const publish = async () => {
    const response = await fetch(`${gateway.url}/api/publish`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` },
      body: ENVELOPE,
    });
    return { status: response.status, ...await response.json() };
  };
  const faults = {
    OOM: [["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
    NOREPLICAS: [
      ["CONFIG", "SET", "min-replicas-to-write", "1"],
      ["CONFIG", "SET", "min-replicas-to-write", "0"],
    ],
    WRONGTYPE: [["SET", "my_stream", "text"], ["DEL", "my_stream"]],
    NOPERM: [["ACL", "SETUSER", "default", "-xadd"], ["ACL", "SETUSER", "default", "+xadd"]],
  };
  for (const [code, [fault, cure]] of Object.entries(faults)) {
    await redis.tell(...fault!);
    const { status, outcome, detail } = await publish();
    assertEquals([status, outcome], [503, "refused"], detail);
    assertStringIncludes(detail, code);
    assert(!/127\.0\.0\.1|:\d{5}/.test(detail), detail);
    await redis.tell(...cure!);
    assertEquals(await redis.tell("EXISTS", "my_stream"), ":0\r\n");
  }
  const counted = (await gateway.metrics()).get('keywire_publishes_failed_total{reason="OOM"}');
  assertEquals(counted, 1);
  for (const code of Object.keys(faults)) {
    await waitFor("the log", () => gateway.log.includes(`refused a publish: ${code}`));
  }
  redis.freeze();
  const { status, outcome, detail } = await publish();
  redis.thaw();
  assertEquals([status, outcome], [503, "unknown"], detail);
  // CLOSED where another question found the frozen Redis first, and closed the connection.
  assertMatch(detail, /TIMEOUT|CLOSED/);
});
