/** The same Idempotency-Key many times at once, over two nodes, while Redis is killed. */
import { assertEquals } from "@std/assert";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

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

Deno.test("An Idempotency-Key makes one entry, whatever is lost on the way", async () => {
  await using redis = await startRedis({ appendonly: true });
  const settings = { REDIS_URL: redis.url, API_TOKEN: TOKEN };
  await using one = await startKeywire(settings);
  await using two = await startKeywire(settings);
  const urls = [one.url, two.url];
  const entries = async () => Number((await redis.tell("XLEN", "my_stream")).slice(1));

  for (let round = 0; round < 5; round++) {
    const before = await entries();
    const envelope = { recipients: ["ann"], round };
    let answers = 0;
    const attempts = Array.from({ length: 100 }, async (_, at) => {
      const answer = await publish(urls[at % 2]!, envelope, `round ${round}`.replace(" ", "-"));
      answers++;
      return answer;
    });
    // At the first answer some others have been done and some have not.
    if (round > 0) await waitFor("an answer", () => answers >= round * 10);
    await redis.kill();
    await redis.start();
    const first = await Promise.all(attempts);
    for (const { status, json } of first) {
      if (status !== 202) assertEquals([status, typeof json.outcome], [503, "string"]);
    }
    // What a backend does then: it repeats until it is told.
    const repeated = await waitFor("an answer to a repeat", async () => {
      const again = await Promise.all(
        urls.map((url) => publish(url, envelope, `round-${round}`)),
      );
      return again.every(({ status }) => status === 202) ? again : undefined;
    }, 30_000);
    const told = [...first, ...repeated].filter(({ status }) => status === 202);
    assertEquals(new Set(told.map(({ json }) => json.cursor)).size, 1);
    assertEquals(await entries(), before + 1);
    for (const url of urls) {
      const other = await publish(url, { ...envelope, other: true }, `round-${round}`);
      assertEquals(other.status, 422);
    }
  }
});
