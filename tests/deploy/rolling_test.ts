import { assert, assertEquals } from "@std/assert";
import { PROXY_KINDS } from "./proxies.ts";
import { rollingRestart } from "./rolling.ts";

Deno.test("deploy: a rolling restart behind nginx, HAProxy and Caddy loses nothing, and refuses no client", async () => {
  const results = await rollingRestart({
    kinds: PROXY_KINDS,
    clients: 100,
    rate: 10,
    // The stream alone: a node that has restarted cannot prove the channel's past.
    env: { REDIS_CHANNEL: "", DRAIN_SECONDS: "2" },
  });
  for (const result of results) {
    const { kind, lost, misplaced, gaps, givenUp, refusals, backMs, log } = result;
    assertEquals({ kind, lost, misplaced, gaps, givenUp }, {
      kind,
      lost: 0,
      misplaced: 0,
      gaps: 0,
      givenUp: 0,
    });
    // Caddy has no way to ask another node after a 503; its clients come back by themselves.
    if (kind !== "caddy") assertEquals(refusals, 0, kind);
    // By their own defaults proxies let no client in for half a minute.
    assert(backMs < 20_000, `${kind}: the last one was back after ${backMs} ms`);
    assert(!log.includes("key-of-"), log);
  }
});
