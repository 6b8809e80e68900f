import { assert, assertEquals } from "@std/assert";
import { waitFor } from "../support/wait.ts";
import { Peer } from "./peer.ts";
import { problem } from "./problem.ts";
import { Watched } from "./watched.ts";

for (const status of [400, 401, 403]) {
  for (const transport of ["websocket", "sse"] as const) {
    Deno.test(`Keywire by ${transport} goes on after a ${status} that is not the gateway's`, async () => {
      await using peer = new Peer();
      const page = () =>
        new Response("<h1>We are deploying</h1>", {
          status,
          headers: { "content-type": "text/html" },
        });
      peer.refuse = () => peer.visits.length > 6 ? undefined : page();
      let asked = 0;
      const key = ({ refused }: { refused: boolean }) => {
        assert(!refused, "the gateway did not refuse the key");
        return `key ${++asked}`;
      };
      using watched = new Watched(peer.url, { transport, key });
      await watched.until("welcome");
      assertEquals(new Set(watched.of("close").map(({ retry }) => retry)), new Set([true]));
    });
  }
}

for (const status of [400, 401, 403]) {
  Deno.test(`Keywire closes after a ${status} that is the gateway's own`, async () => {
    await using peer = new Peer();
    peer.refuse = () => problem(status, "so it is");
    using watched = new Watched(peer.url);
    await waitFor("closed", () => watched.client.state === "closed");
    const { code, reason, retry } = watched.of("close").at(-1)!;
    assertEquals({ code, reason, retry }, { code: status, reason: "so it is", retry: false });
  });
}

Deno.test("Keywire comes back late after 4429, and not at all after 1009", async () => {
  await using peer = new Peer();
  using noisy = new Watched(peer.url, { maxDelayMs: 1e6 });
  (await peer.line()).end(4429);
  const { retry, retryMs } = await noisy.until("close");
  assert(retry === true && (retryMs as number) >= 5e5, `${retryMs}`);
  using large = new Watched(peer.url);
  (await peer.line()).end(1009);
  assertEquals((await large.until("close")).retry, false);
  assertEquals(large.client.state, "closed");
});
