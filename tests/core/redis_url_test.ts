import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseRedisUrl, whereIs } from "../../src/core/redis_url.ts";

const plain = {
  kind: "single",
  hosts: [{ host: "redis", port: 6379 }],
  tls: false,
  username: undefined,
  password: undefined,
  db: 0,
  master: "",
  sentinel: {},
} as const;

Deno.test("parseRedisUrl reads a server's host, port, user, password and database", () => {
  assertEquals(parseRedisUrl("redis://redis"), plain);
  assertEquals(parseRedisUrl("redis://redis/"), plain);
  assertEquals(parseRedisUrl("rediss://us%40er:p%3A%2Fa:ss@10.0.0.1:6380/3"), {
    ...plain,
    hosts: [{ host: "10.0.0.1", port: 6380 }],
    tls: true,
    username: "us@er",
    password: "p:/a:ss",
    db: 3,
  });
  assertEquals(parseRedisUrl("redis://:p@ss@[::1]:6380"), {
    ...plain,
    hosts: [{ host: "::1", port: 6380 }],
    password: "p@ss",
  });
});

Deno.test("parseRedisUrl reads Sentinels and the name of their master", () => {
  assertEquals(parseRedisUrl("redis+sentinel://:secret@one:26380,two/my%20master/2"), {
    ...plain,
    kind: "sentinel",
    hosts: [{ host: "one", port: 26380 }, { host: "two", port: 26379 }],
    password: "secret",
    db: 2,
    master: "my master",
  });
});

Deno.test("parseRedisUrl takes the scheme in any case, and keeps what the Sentinels want", () => {
  const sentinel = { username: "guard", password: "p@ss" };
  assertEquals(parseRedisUrl("REDISS+Sentinel://one/m", sentinel), {
    ...plain,
    kind: "sentinel",
    hosts: [{ host: "one", port: 26379 }],
    tls: true,
    master: "m",
    sentinel,
  });
});

Deno.test("parseRedisUrl reads the nodes of a Cluster", () => {
  assertEquals(parseRedisUrl("rediss+cluster://one,two:7000"), {
    ...plain,
    kind: "cluster",
    hosts: [{ host: "one", port: 6379 }, { host: "two", port: 7000 }],
    tls: true,
  });
});

Deno.test("parseRedisUrl refuses what it cannot read, and shows nothing of it", () => {
  for (
    const url of [
      "",
      "http://:sesame@host",
      "redis://:sesame@",
      "redis://:sesame@host:99999",
      "redis://:sesame@host:six",
      "redis://:sesame@host/sesame",
      "redis://:sesame@host/0/sesame",
      "redis://:sesame@host?sesame",
      "redis://:sesame@host/0?sesame",
      "redis://:sesame@ho st",
      "redis://:sesame@one,two",
      "redis://:sesame%zz@host",
      "redis+sentinel://:sesame@host",
      "redis+cluster://:sesame@host/1",
      "redis+sesame://host",
    ]
  ) {
    const { message } = assertThrows(() => parseRedisUrl(url), TypeError, "Redis URL");
    assert(!message.includes("sesame"), message);
  }
});

Deno.test("whereIs names hosts and ports, and no credentials", () => {
  const address = parseRedisUrl("redis+sentinel://user:secret@one:26380,two/mymaster");
  assertEquals(whereIs(address), "one:26380,two:26379");
});
