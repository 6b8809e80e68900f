import { assertEquals } from "@std/assert";
import { makeCertificate } from "../support/certificate.ts";
import { items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
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

Deno.test("A gateway asks a MongoDB that speaks TLS, by DENO_CERT; a file that its URL names is told of where it may not be read", async () => {
  const dir = await Deno.makeTempDir({ prefix: "keywire-tls-" });
  const { cert, key } = await makeCertificate(dir);
  await using mongodb = await startMongodb();
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
  });
  const passing = passOn(listener, Number(new URL(mongodb.url).port));
  const url = `mongodb://127.0.0.1:${listener.addr.port}/?tls=true`;
  {
    await using gateway = await startKeywire({ MONGODB_URL: url, DENO_CERT: cert });
    await waitFor("the store", () => gateway.log.includes("Connected to MongoDB"));
  }
  {
    const MONGODB_URL = `${url}&tlsCAFile=${cert}`;
    await using gateway = await startKeywire({ MONGODB_URL }, { ready: false });
    await waitFor(
      "a word on the file",
      () => /gives no answer: NotCapable: Requires read access to.*--allow-read/.test(gateway.log),
    );
  }
  listener.close();
  await passing;
  await Deno.remove(dir, { recursive: true });
});

/** Passes what comes on TLS on to `port` of this machine, until the listener is closed. */
async function passOn(listener: Deno.TlsListener, port: number): Promise<void> {
  const flows: Promise<void>[] = [];
  try {
    for await (const connection of listener) {
      const target = await Deno.connect({ hostname: "127.0.0.1", port });
      flows.push(
        connection.readable.pipeTo(target.writable).catch(() => {}),
        target.readable.pipeTo(connection.writable).catch(() => {}),
      );
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
  await Promise.all(flows);
}
