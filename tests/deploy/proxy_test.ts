import { assert, assertEquals } from "@std/assert";
import { makeCertificate } from "../support/certificate.ts";
import { launchChromium } from "../support/chromium.ts";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { openFrom } from "./curl.ts";
import { PROXY_KINDS, type ProxyServer, startProxy } from "./proxies.ts";
import { NodeGroup } from "./node_group.ts";

/** One step for each proxy. */
async function eachProxy(
  t: Deno.TestContext,
  kinds: readonly (typeof PROXY_KINDS)[number][],
  options: Parameters<typeof startProxy>[1],
  test: (proxy: ProxyServer) => Promise<void>,
): Promise<void> {
  for (const kind of kinds) {
    await t.step(kind, async () => {
      await using proxy = await startProxy(kind, options);
      await test(proxy);
    });
  }
}

Deno.test("deploy: each proxy passes every transport on at once, and writes no key down", async (t) => {
  await using redis = await startRedis();
  await using two = await NodeGroup.start({ REDIS_URL: redis.url, EMBEDDED_KEYS: "secret-of-one" });
  await eachProxy(t, PROXY_KINDS, two, async (proxy) => {
    const key = "secret-of-one";
    using plain = await openSocket(proxy.url, key);
    using v1 = await openSocket(proxy.url, key, { v1: true });
    using stream = await openEvents(proxy.url, key);
    await items(v1.events, 1);
    await items(stream.blocks, 1); // the welcome, which nothing follows for 15 s
    plain.socket.send("ping");
    assertEquals(await items(plain.frames, 1), ["heartbeat message"]);

    await redis.tell("XADD", "my_stream", "*", "message", `{"recipients":["${key}"],"n":1}`);
    assertEquals((await items(plain.frames, 2)).at(-1), '{"n":1}');
    assertEquals((await items(v1.events, 2)).at(-1)!.message, { n: 1 });
    assertEquals(await items(stream.messages, 1), ['{"n":1}']);

    // A query reaches a log line by a request that fails, too.
    for (const path of ["/events?unknown-key", "/websocket?unknown-key", "/%00?unknown-key"]) {
      await (await fetch(proxy.url + path)).body?.cancel();
    }
    plain.socket.close();
    await plain.closed;
    if (proxy.kind !== "caddy") { // which writes no access log unless it is told to
      await waitFor("the access log", async () => (await proxy.log()).includes("/websocket"));
    }
    const log = await proxy.log();
    assert(!log.includes(key) && !log.includes("unknown-key"), log);
  });
});

Deno.test("deploy: a proxy that reaches no node writes no key down, either", async () => {
  const nowhere = { port: freePort(), internalPort: freePort() };
  await Promise.all(PROXY_KINDS.map(async (kind) => {
    await using proxy = await startProxy(kind, nowhere);
    const response = await fetch(`${proxy.url}/events?secret-in-the-query`, {
      headers: { "Sec-WebSocket-Protocol": "keywire.v1, key.secret-in-a-header" },
    });
    await response.body?.cancel();
    assert([502, 503].includes(response.status), `${kind} answers ${response.status}`);
    const written = await waitFor("a line on it", async () => {
      const log = await proxy.log();
      return /\/events/.test(log) ? log : undefined;
    });
    assert(!written.includes("secret-in"), written);
  }));
});

Deno.test("deploy: behind each proxy a client counts by its own address, whatever it says", async (t) => {
  await using two = await NodeGroup.start({ MAX_CONNECTIONS_PER_IP: "1" });
  await eachProxy(t, PROXY_KINDS, two, async (proxy) => {
    // The nodes may learn later that the clients behind the proxy before are gone.
    for (const node of two.nodes) {
      const slots = async () => (await node.metrics()).get("keywire_connection_slots_used");
      await waitFor("the slots to be free", async () => await slots() === 0);
    }
    const url = `${proxy.url}/events?demo`;
    // One on each node: the proxies choose the one with fewer connections.
    await using first = await openFrom("127.0.0.2", url);
    await using second = await openFrom("127.0.0.2", url);
    assertEquals([first.status, second.status], [200, 200]);
    await using third = await openFrom("127.0.0.2", url);
    assertEquals(third.status, 429);
    await using liar = await openFrom("127.0.0.2", url, ["X-Forwarded-For: 10.1.2.3"]);
    assertEquals(liar.status, 429);
    await using other = await openFrom("127.0.0.3", url);
    assertEquals(other.status, 200);
  });
});

Deno.test("deploy: HAProxy and Caddy send no client to a node whose /ready fails", async (t) => {
  await using redis = await startRedis();
  const away = { REDIS_URL: `redis://127.0.0.1:${freePort()}` };
  await using two = await NodeGroup.start({ REDIS_URL: redis.url }, away);
  await eachProxy(t, ["haproxy", "caddy"], two, async (proxy) => {
    await waitFor(
      "the proxy to notice",
      async () => /b is DOWN|127\.0\.0\.2.*503|503.*127\.0\.0\.2/.test(await proxy.log()),
    );
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => openSocket(proxy.url, "demo")),
    );
    await redis.tell("XADD", "my_stream", "*", "message", '{"recipients":["demo"],"n":1}');
    for (const client of clients) assertEquals(await items(client.frames, 1), ['{"n":1}']);
    for (const client of clients) client.socket.close();
    await Promise.all(clients.map(({ closed }) => closed));
  });
});

Deno.test("deploy: a browser has its sockets, and many streams by HTTP/2, through each proxy's TLS", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "keywire-deploy-" });
  try {
    const certificate = await makeCertificate(dir);
    await using two = await NodeGroup.start({});
    await using chromium = await launchChromium();
    const options = { port: two.port, internalPort: two.internalPort, certificate };
    await eachProxy(t, PROXY_KINDS, options, async (proxy) => {
      const { page } = await chromium.open({ ignoreHTTPSErrors: true });
      await page.goto(`${proxy.url}/health`);
      const answers = await page.evaluate(`(async () => {
        const opened = (target) => new Promise((resolve, reject) => {
          target.onopen = () => resolve("open");
          target.onerror = () => reject(new Error("refused"));
        });
        const socket = new WebSocket("/websocket?demo".replace(/^/, location.origin.replace("http", "ws")));
        // Over HTTP/1.1 a browser opens six at most.
        const streams = Array.from({ length: 10 }, () => new EventSource("/events?demo"));
        return await Promise.all([socket, ...streams].map(opened));
      })()`);
      assertEquals(answers, Array(11).fill("open"));
      await page.context().close();
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
