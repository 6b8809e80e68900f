/** The same Idempotency-Key many times at once, over two nodes, while Redis is killed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { waitFor } from "../support/wait.ts";

/** The answer to CONFIG GET where every write is on disk before it is acknowledged. */
const APPENDFSYNC = "*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n";
const TOKEN = "the-token-of-the-backend-of-the-tests";

interface Answer {
  readonly status: number;
  readonly json: { readonly cursor?: string; readonly outcome?: string };
}

async function publish(url: string, envelope: unknown, key: string): Promise<Answer> {
  const response = await fetch(`${url}/api/publish`, {
    method: "POST",
    headers: {
      "Authorization": `Bearer ${TOKEN}`,
      "Content-Type": "application/json",
      "Idempotency-Key": key,
    },
    body: JSON.stringify(envelope),
  });
  return { status: response.status, json: await response.json() };
}

/** How many of each round's attempts were answered when Redis is killed; the first is killed at once. */
const ANSWERED = [0, 1, 2, 5, 10, 20, 40, 60];
const ATTEMPTS = 100;

Deno.test("An Idempotency-Key makes one entry, whatever is lost on the way", async () => {
  await using redis = await startRedis({ appendonly: true });
  const settings = { REDIS_URL: redis.url, API_TOKEN: TOKEN };
  await using one = await startKeywire(settings);
  await using two = await startKeywire(settings);
  const urls = [one.url, two.url];
  const entries = async () => Number((await redis.tell("XLEN", "my_stream")).slice(1));
  const isHalfDone: boolean[] = [];
  let refused = 0;

  for (const [round, answered] of ANSWERED.entries()) {
    assertEquals(await redis.tell("CONFIG", "GET", "appendfsync"), APPENDFSYNC);
    const before = await entries();
    const envelope = { recipients: ["demo"], round };
    const key = `round-${round}`;
    let answers = 0;
    const someAnswered = Promise.withResolvers<void>();
    const attempts = Array.from({ length: ATTEMPTS }, async (_, at) => {
      const answer = await publish(urls[at % 2]!, envelope, key);
      if (++answers === answered) someAnswered.resolve();
      return answer;
    });
    if (answered > 0) await someAnswered.promise;
    await redis.kill();
    isHalfDone.push(answers > 0 && answers < ATTEMPTS);
    await redis.start();
    const first = await Promise.all(attempts);
    for (const { status, json } of first) {
      if (status !== 202) assertEquals([status, typeof json.outcome], [503, "string"]);
    }
    refused += first.filter(({ status }) => status !== 202).length;
    // What a backend does then: it repeats until it is told.
    const repeated = await waitFor("an answer to a repeat", async () => {
      const again = await Promise.all(urls.map((url) => publish(url, envelope, key)));
      return again.every(({ status }) => status === 202) ? again : undefined;
    }, 30_000);
    const told = [...first, ...repeated].filter(({ status }) => status === 202);
    const cursors = new Set(told.map(({ json }) => json.cursor));
    assertEquals(cursors.size, 1);
    assertEquals(await entries(), before + 1);
    const [id] = cursors;
    const entry = await redis.tell("XRANGE", "my_stream", `${id}`, `${id}`);
    assertStringIncludes(entry, JSON.stringify(envelope));
    for (const url of urls) {
      const other = await publish(url, { ...envelope, other: true }, key);
      assertEquals(other.status, 422);
    }
    assertEquals(await entries(), before + 1);
  }
  assert(isHalfDone.includes(true), "Redis was never killed in the middle");
  await say(
    `killed half way: ${isHalfDone.filter(Boolean).length} of ${ANSWERED.length}; 503: ${refused}`,
  );
});
