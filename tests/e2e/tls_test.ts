import { assertEquals } from "@std/assert";
import { makeCertificate } from "../support/certificate.ts";
import { items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";

Deno.test("A gateway hears a Redis that speaks TLS alone to it, and whose CA is one's own", async () => {
  const dir = await Deno.makeTempDir({ prefix: "keywire-tls-" });
  const { cert, key } = await makeCertificate(dir);
  const port = freePort();
  const args = ["--tls-port", `${port}`, "--tls-cert-file", cert, "--tls-key-file", key];
  await using redis = await startRedis({
    args: [...args, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no"],
  });
  const url = `rediss://127.0.0.1:${port}`;
  {
    await using gateway = await startKeywire({ REDIS_URL: url, DENO_CERT: cert });
    using client = await openSocket(gateway.url, "demo");
    // The second comes in many pieces.
    for (const data of ["small", "x".repeat(200_000)]) {
      await redis.tell("PUBLISH", "my_channel", JSON.stringify({ recipients: ["demo"], data }));
      assertEquals((await items(client.frames, 1)).at(-1), JSON.stringify({ data }));
      client.frames.length = 0;
    }
    await redis.tell("XADD", "my_stream", "*", "message", '{"recipients":["demo"],"n":1}');
    assertEquals(await items(client.frames, 1), ['{"n":1}']);
  }
  {
    await using stranger = await startKeywire({ REDIS_URL: url }, { ready: false });
    await waitFor(
      "a word on the certificate",
      () => /has trouble.*certificate of Redis is not trusted/.test(stranger.log),
    );
    assertEquals((await fetch(`${stranger.url}/ready`)).status, 503);
  }
  await Deno.remove(dir, { recursive: true });
});
