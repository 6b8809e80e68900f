/** What every presence keeps, whatever is behind it. */
import { assert, assertEquals } from "@std/assert";
import type { NodeRegistry, Presence } from "../../src/presence/mod.ts";
import { waitFor } from "../support/wait.ts";

/** One presence to be tested, of a system that no other node uses. */
export interface PresenceUnderTest extends AsyncDisposable {
  readonly presence: Presence & NodeRegistry;
  /** The notices that backends have heard so far, as `<channel> <recipient>`. */
  readonly notices: readonly string[];
}

/** What the presence is to be like. */
export interface PresenceOptions {
  /** How many connections the node says that it has, where it is asked. */
  readonly connections: () => number;
  readonly graceMs: number;
}

const GRACE_MS = 800;

/** Runs the contract on the presences that `create` makes. */
export function testPresence(
  name: string,
  create: (options: PresenceOptions) => Promise<PresenceUnderTest>,
): void {
  const test = (
    sentence: string,
    fn: (under: PresenceUnderTest, node: TestNode) => Promise<void>,
    { graceMs = 0 } = {},
  ) => {
    Deno.test(`${name}, ${sentence}`, async () => {
      const node = new TestNode();
      await using under = await create({ graceMs, connections: () => node.connections });
      node.presence = under.presence;
      await fn(under, node);
    });
  };

  test(
    "announces a recipient once with its first socket, and withdraws it with its last",
    async (under, node) => {
      node.connect("a");
      node.connect("a", "b");
      await heard(under, ["connected a", "connected b"]);
      node.close("a");
      await under.presence.settled();
      node.close("a", "b");
      await heard(under, ["connected a", "connected b", "disconnected a", "disconnected b"]);
      await under.presence.settled();
      assertEquals([...under.presence.stats.notices], [["connected", 2], ["disconnected", 2]]);
    },
  );

  test(
    "says how many sockets a recipient has and since when, and nothing of who is not there",
    async (under, node) => {
      const before = Date.now();
      node.connect("a");
      node.connect("a", "{b} c:*");
      await under.presence.settled();
      const found = await under.presence.lookUp(["a", "nobody", "{b} c:*", "a"]);
      assertEquals([...found.keys()].toSorted(), ["a", "{b} c:*"]);
      assertEquals([found.get("a")?.sockets, found.get("{b} c:*")?.sockets], [2, 1]);
      const since = found.get("a")?.since ?? 0;
      assert(since >= before - 100 && since <= Date.now() + 100, `${since}`);
      node.close("a");
      await under.presence.settled();
      assertEquals((await under.presence.lookUp(["a"])).get("a")?.sockets, 1);
      node.close("a", "{b} c:*");
      await under.presence.settled();
      assertEquals((await under.presence.lookUp(["a", "{b} c:*"])).size, 0);
    },
  );

  test("knows the connections of all nodes, and the nodes", async (under, node) => {
    node.connect("a", "b");
    node.connect("a");
    await under.presence.settled();
    assertEquals(await under.presence.size(), 2);
    const nodes = await under.presence.nodes();
    assertEquals(nodes.map(({ isThis, connections }) => [isThis, connections]), [[true, 2]]);
  });

  test("says nothing of a recipient that comes back within its grace", async (under, node) => {
    node.connect("a");
    await heard(under, ["connected a"]);
    node.close("a");
    await under.presence.settled();
    assertEquals((await under.presence.lookUp(["a"])).size, 0);
    node.connect("a");
    await new Promise((resolve) => setTimeout(resolve, 1.5 * GRACE_MS));
    await under.presence.settled();
    assertEquals(under.notices, ["connected a"]);
    const closedAt = performance.now();
    node.close("a");
    await heard(under, ["connected a", "disconnected a"]);
    assert(performance.now() - closedAt >= GRACE_MS - 20);
  }, { graceMs: GRACE_MS });

  test(
    "ends with the truth when a socket comes and goes faster than it can be told",
    async (under, node) => {
      for (let at = 0; at < 500; at++) {
        node.connect("flaps");
        if (at % 7 === 0) await Promise.resolve();
        node.close("flaps");
      }
      node.connect("flaps");
      await under.presence.settled();
      const last = () => under.notices.at(-1) === "connected flaps";
      await waitFor("the last notice", last);
      for (const [at, notice] of under.notices.entries()) {
        assertEquals(notice, at % 2 === 0 ? "connected flaps" : "disconnected flaps");
      }
    },
  );

  test(
    "announces 10,000 recipients that come at once, each once, and withdraws them",
    async (under, node) => {
      const names = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);
      for (const name of names) node.connect(name);
      await under.presence.settled();
      const connected = names.map((name) => `connected ${name}`);
      await waitFor("the notices", () => under.notices.length >= names.length);
      assertEquals(under.notices.toSorted(), connected.toSorted());
      for (const name of names) node.close(name);
      await under.presence.settled();
      await waitFor("the notices", () => under.notices.length >= 2 * names.length);
      const disconnected = names.map((name) => `disconnected ${name}`);
      assertEquals(under.notices.slice(names.length).toSorted(), disconnected.toSorted());
    },
  );

  test("takes no notice of a socket less where there is none", async (under, node) => {
    under.presence.remove(["nobody"]);
    node.connect("nobody");
    await heard(under, ["connected nobody"]);
  });
}

/** Connects and closes, and counts. */
class TestNode {
  presence!: Presence;
  connections = 0;

  connect(...recipients: string[]): void {
    this.connections++;
    this.presence.add(recipients);
  }

  close(...recipients: string[]): void {
    this.connections--;
    this.presence.remove(recipients);
  }
}

async function heard(under: PresenceUnderTest, notices: readonly string[]): Promise<void> {
  await under.presence.settled();
  await waitFor("the notices", () => under.notices.length >= notices.length);
  assertEquals(under.notices, notices);
}
