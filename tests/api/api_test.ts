/** The HTTP API of one embedded node: every answer that its description knows. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

const JSON_TYPE = "application/json";
const TOKEN = "a-token-of-thirty-two-characters!";

Deno.test("API", async (t) => {
  await using gateway = await startKeywire({
    EMBEDDED_KEYS: "ann,bob,cat,dan",
    MAX_MESSAGE_BYTES: "1024",
    API_TOKEN: TOKEN,
  });
  const call = async (path: string, body?: BodyInit, headers: Record<string, string> = {}) => {
    const response = await fetch(`${gateway.url}/api/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        ...body === undefined ? {} : { "Content-Type": JSON_TYPE },
        ...headers,
      },
      ...body === undefined ? {} : { body },
    });
    return { status: response.status, headers: response.headers, json: await response.json() };
  };
  const refused = async (
    path: string,
    body: BodyInit,
    [status, ...words]: [number, ...string[]],
  ) => {
    const { json, headers, ...answer } = await call(path, body);
    assertEquals(answer.status, status, `${path} ${body}: ${JSON.stringify(json)}`);
    assertEquals(headers.get("Content-Type"), "application/problem+json");
    assertEquals(json.status, status);
    for (const word of words) assertStringIncludes(json.detail, word);
  };

  await t.step("publish: tells who was not there just before", async () => {
    using ann = await openSocket(gateway.url, "ann", { v1: true });
    const { status, json } = await call("publish", '{"recipients":["ann","x","x"],"n":1.0}');
    assertEquals([status, json.online, json.offline], [202, 1, ["x"]]);
    assertMatch(json.cursor, /^\d+-\d+$/);
    const all = await call("publish", '{"recipients":"*"}');
    assertEquals([all.json.online, all.json.offline], [1, undefined]);
    const [, message] = await items(ann.frames, 2);
    assertStringIncludes(message!, '"message":{"n":1.0}');
  });

  await t.step("publish: a repeat under an Idempotency-Key gets the first cursor", async () => {
    const headers = { "Idempotency-Key": "!~".repeat(64) };
    const first = await call("publish", '{"recipients":["ann"],"n":1}', headers);
    const second = await call("publish", '{"recipients":["ann"],"n":1}', headers);
    assertEquals(second.json.cursor, first.json.cursor);
    const other = await call("publish", '{"recipients":["ann"],"n":2}', headers);
    assertEquals(other.status, 422);
    for (const key of ["", " ", "a b", "ä", "x".repeat(129)]) {
      const wrong = await call("publish", '{"recipients":[]}', { "Idempotency-Key": key });
      assertEquals(wrong.status, 400, key);
      assertStringIncludes(wrong.json.detail, "Idempotency-Key");
    }
  });

  await t.step("publish: says what is wrong with an envelope", async () => {
    await refused("publish", "{,}", [400, "not JSON"]);
    await refused("publish", "[]", [400, "JSON object"]);
    await refused("publish", "{}", [400, "no member recipients"]);
    await refused("publish", '{"recipients":[1]}', [400, "numbers in quotes"]);
    await refused("publish", '{"recipients":[""]}', [400, "recipients", "empty"]);
    await refused("publish", new Uint8Array([0x22, 0xff, 0x22]), [400, "UTF-8"]);
    await refused("publish", `"${"x".repeat(2_000)}"`, [413, "MAX_MESSAGE_BYTES"]);
    const other = await call("publish", "{}", { "Content-Type": "text/plain" });
    assertEquals(other.status, 415);
    const compressed = await call("publish", '{"recipients":[]}', { "Content-Encoding": "gzip" });
    assertEquals(compressed.status, 415);
    assertStringIncludes(compressed.json.detail, "Content-Encoding");
  });

  await t.step("publish/batch: has a result for each envelope, and keeps their bytes", async () => {
    using bob = await openSocket(gateway.url, "bob");
    const good = (n: string) => `{"recipients":["bob"], "n" : ${n}}`;
    const array = `[${good("12345678901234567890")}, {"recipients":[1]} ,\n${good("1e400")},1]`;
    const { status, json } = await call("publish/batch", array);
    assertEquals(status, 202);
    assertEquals(json.results.map((it: { status?: number }) => it.status), [
      undefined,
      400,
      undefined,
      400,
    ]);
    assertStringIncludes(json.results[1].detail, "numbers in quotes");
    assertEquals(json.results[0].online, 1);
    // A byte order mark or a no-break space is no blank of JSON.
    const lines = `${good("1.0")}\r\n\n  \nnope\n\ufeff${good("7")}\n\u00a0${good("8")}\n${
      good("-0")
    }`;
    const second = await call("publish/batch", lines, { "Content-Type": "application/x-ndjson" });
    assertEquals(second.json.results.map((it: { status?: number }) => it.status), [
      undefined,
      400,
      400,
      400,
      undefined,
    ]);
    assertEquals(
      await items(bob.frames, 4),
      ["12345678901234567890", "1e400", "1.0", "-0"].map((n) => `{"n" : ${n}}`),
    );
    assertEquals((await call("publish/batch", "[]")).json, { results: [] });
  });

  await t.step(
    "publish/batch: the item i has the Idempotency-Key of the batch with :i",
    async () => {
      const headers = { "Idempotency-Key": "batch" };
      const [one, two] = ['{"recipients":["ann"],"n":1}', '{"recipients":["ann"],"n":2}'];
      const first = await call("publish/batch", `[${one},${two}]`, headers);
      const again = await call("publish/batch", `[${one},${two}]`, headers);
      assertEquals(again.json, first.json);
      const single = await call("publish", two, { "Idempotency-Key": "batch:1" });
      assertEquals(single.json.cursor, first.json.results[1].cursor);
      const other = await call("publish/batch", `[${one},${one}]`, headers);
      assertEquals(other.json.results[0], first.json.results[0]);
      assertEquals(other.json.results[1].status, 422);
    },
  );

  await t.step("publish/batch: takes 1,000 envelopes of 4 MiB, and no more", async () => {
    const items = (count: number) => `[${Array(count).fill('{"recipients":["x"]}').join()}]`;
    const { status, json } = await call("publish/batch", items(1_000));
    assertEquals([status, json.results.length], [202, 1_000]);
    await refused("publish/batch", items(1_001), [413, "1000"]);
    await refused("publish/batch", " ".repeat(4 * 2 ** 20 + 1), [413, "4 MiB"]);
    await refused("publish/batch", '{"recipients":[]}', [400, "array"]);
    await refused("publish/batch", "[{},", [400, "array"]);
    await refused("publish/batch", "[{},{a}]", [400, "element 1"]);
  });

  await t.step("publish/batch: long runs of blanks hold nothing up", async () => {
    // An expression that cuts blanks off takes minutes for these, and the node stands still.
    const blanks = " \t".repeat(500_000);
    const line = `${blanks}{"recipients":["x"]}${blanks}`;
    const lines = `${line}\n${blanks}\n{"recipients":["x"]} ${blanks} nope`;
    const { status, json } = await call("publish/batch", lines, {
      "Content-Type": "application/x-ndjson",
    });
    assertEquals(status, 202);
    assertEquals(json.results.map((it: { status?: number }) => it.status), [undefined, 413]);
  });

  await t.step("disconnect: closes by recipient and by key, on every transport", async () => {
    const [cat, dan] = [await openSocket(gateway.url, "cat"), await openSocket(gateway.url, "dan")];
    using events = await openEvents(gateway.url, "cat");
    const answer = await call("disconnect", '{"recipients":["cat","not there"]}');
    assertEquals([answer.status, answer.json], [202, {}]);
    assertEquals((await cat.closed).code, 4403);
    await events.ended;
    dan.socket.send("ping");
    assertEquals(await items(dan.frames, 1), ["heartbeat message"]);
    await call("disconnect", '{"keys":["dan"]}');
    assertEquals((await dan.closed).code, 4403);
    using again = await openSocket(gateway.url, "dan"); // a kick, not a ban
    assertEquals(again.socket.readyState, WebSocket.OPEN);
  });

  await t.step("disconnect: names the member that is wrong, and shows no key", async () => {
    await refused("disconnect", "{}", [400, "recipients", "array"]);
    await refused("disconnect", "[]", [400, "the body", "object"]);
    await refused("disconnect", '{"recipients":["a",1]}', [400, "recipients[1]", "string"]);
    await refused("disconnect", '{"recipients":["a"],"keys":["b"]}', [400, '"recipients"']);
    await refused("disconnect", '{"recipients":["a"],"else":1}', [400, '"else"']);
    const secret = `secret\\n${"x".repeat(30)}`;
    const { status, json } = await call("disconnect", `{"keys":["${secret}"]}`);
    assertEquals(status, 400);
    assertStringIncludes(json.detail, "keys[0]");
    assert(!json.detail.includes("secret"));
  });

  await t.step("presence: tells sockets and since when", async () => {
    using _one = await openSocket(gateway.url, "ann");
    using _two = await openSocket(gateway.url, "ann");
    await waitFor("both", async () => {
      return (await call("presence", '{"recipients":["ann"]}')).json.ann.sockets === 2;
    });
    const body = '{"recipients":["ann","no","__proto__"]}';
    const { status, json } = await call("presence", body);
    assertEquals(status, 200);
    assertEquals(Object.keys(json), ["ann", "no", "__proto__"]);
    assertEquals([json.ann.online, json.ann.sockets], [true, 2]);
    assert(Math.abs(Date.now() - Date.parse(json.ann.since)) < 60_000);
    assertEquals(json.no, { online: false, sockets: 0 });
    await refused("presence", '{"recipients":"ann"}', [400, "recipients", "array"]);
  });

  await t.step(
    "cursor: a client that begins there hears all that follows, and only that",
    async () => {
      await call("publish", '{"recipients":["ann"],"n":"before"}');
      const { status, json: { cursor } } = await call("cursor");
      assertEquals(status, 200);
      assertMatch(cursor, /^[A-Za-z0-9._~-]{1,128}$/);
      await call("publish", '{"recipients":["ann"],"n":"after"}');
      using ann = await openSocket(gateway.url, "ann", { v1: true, after: cursor });
      const [welcome, message] = await items(ann.events, 2);
      assertEquals(welcome!.recovered, true);
      assertEquals(message!.message, { n: "after" });
    },
  );

  await t.step("nodes: tells of this one", async () => {
    const { status, json: { nodes } } = await call("nodes");
    assertEquals([status, nodes.length], [200, 1]);
    const { id, address, version, since, connections, isThis } = nodes[0];
    assertMatch(id, /^\w+$/);
    assert(Number.isInteger(connections));
    assertEquals([isThis, address], [true, `127.0.0.1:${gateway.port}`]);
    assertMatch(version, /^\d+\.\d+\.\d+/);
    assert(Math.abs(Date.now() - Date.parse(since)) < 600_000);
  });

  await t.step("a body has 5 s to arrive", async () => {
    using slow = await Deno.connect({ port: gateway.port });
    const head = `POST /api/publish HTTP/1.1\r\nHost: a\r\nContent-Type: ${JSON_TYPE}\r\n` +
      `Authorization: Bearer ${TOKEN}\r\n`;
    await slow.write(new TextEncoder().encode(`${head}Content-Length: 50\r\n\r\n{`));
    const bytes = new Uint8Array(1_000);
    const text = new TextDecoder().decode(bytes.subarray(0, await slow.read(bytes) ?? 0));
    assertStringIncludes(text, "HTTP/1.1 408 ");
  });

  await t.step(
    "no token, another method, no such route: refused, and never across origins",
    async () => {
      const { url } = gateway;
      const ask = async (path: string, init: RequestInit = {}) => {
        const response = await fetch(`${url}/api/${path}`, {
          ...init,
          headers: { Origin: "http://page.example", ...init.headers },
        });
        await response.body?.cancel();
        for (const [name] of response.headers) assert(!/^access-control/i.test(name), name);
        return response;
      };
      const headers = { Authorization: `Bearer ${TOKEN}` };
      assertEquals((await ask("cursor")).status, 401);
      assertEquals((await ask("cursor", { headers: { Authorization: "Bearer x" } })).status, 401);
      assertEquals((await ask("cursor", { headers })).status, 200);
      for (const path of ["publish", "publish/batch", "disconnect", "presence"]) {
        const response = await ask(path, { headers });
        assertEquals([response.status, response.headers.get("Allow")], [405, "POST"]);
        assert((await ask(path, { method: "OPTIONS" })).status >= 400);
      }
      assertEquals((await ask("cursor", { method: "POST", headers, body: "{}" })).status, 405);
      assertEquals((await ask("nothing", { headers })).status, 404);
    },
  );

  await t.step("/openapi.json describes them all, with every status", async () => {
    const { openapi, paths } = await (await fetch(`${gateway.url}/openapi.json`)).json();
    assertEquals(openapi, "3.1.0");
    const described = Object.fromEntries(
      Object.entries(paths as Record<string, Record<string, { responses: object }>>)
        .map(([path, methods]) => {
          const [[method, { responses }]] = Object.entries(methods) as [
            [string, { responses: object }],
          ];
          return [path, `${method} ${Object.keys(responses).join(" ")}`];
        }),
    );
    assertEquals(described, {
      "/api/publish": "post 202 400 401 403 408 413 415 422 503",
      "/api/publish/batch": "post 202 400 401 403 408 413 415 503",
      "/api/disconnect": "post 202 400 401 403 408 413 415 503",
      "/api/presence": "post 200 400 401 403 408 413 415 503",
      "/api/cursor": "get 200 401 403 503",
      "/api/nodes": "get 200 401 403 503",
    });
  });
});
