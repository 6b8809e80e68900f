import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { items, openSocket, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

Deno.test("A gateway without descriptors keeps its clients, and listens again", async () => {
  await using gateway = await startKeywire({}, {
    prefix: ["prlimit", "--nofile=160:160"],
  });
  using client = await openSocket(gateway.url, "demo");
  const idle: Deno.TcpConn[] = [];
  try {
    for (let n = 0; n < 250; n++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: gateway.port })
        .catch(() => undefined);
      if (connection === undefined) break; // It has noticed, and does not listen.
      idle.push(connection);
    }
    await waitFor("the log to tell", () => gateway.log.includes("Cannot accept connections"));
  } finally {
    for (const connection of idle) connection.close();
  }
  await waitFor("it to listen again", () => gateway.log.includes("Listens again"), 30_000);
  const answer = await waitFor(
    "it to answer",
    () => publish(gateway.url, { recipients: ["demo"], n: 1 }).catch(() => undefined),
    30_000,
  );
  assertEquals(answer.status, 202);
  await answer.body?.cancel();
  assertEquals(await items(client.frames, 1), ['{"n":1}']);
});

Deno.test("A path that is none of the page's is answered 404, and leaves no line in the log", async () => {
  await using gateway = await startKeywire();
  await waitFor("the last line of its start", () => /Settings: .*\n/.test(gateway.log));
  const before = gateway.log;
  for (const path of ["/%00", "/a%00b.js", `/${"x".repeat(5_000)}`, "/..%2f..%2fetc/passwd"]) {
    const response = await fetch(`${gateway.url}${path}`);
    assertEquals(response.status, 404, path);
    assertStringIncludes(await response.text(), "Cannot find anything here");
  }
  assertEquals(gateway.log, before);
  assert(!gateway.log.includes("webpage"));
});
