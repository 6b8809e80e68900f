import { assert, assertEquals } from "@std/assert";
import { History } from "../../src/core/history/history.ts";
import { items, openSocket, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { say } from "../support/say.ts";
import { waitFor } from "../support/wait.ts";
import { resumingCosts } from "./resuming_costs.ts";

const CLIENTS = 500;

Deno.test("clients that resume at once cost no command to Redis, and live delivery goes on", async () => {
  const costs = await resumingCosts(CLIENTS);
  await say(`${CLIENTS} clients resumed: ${JSON.stringify(costs)}`);
  const { recovered, replayed, p99Ms, commands: { xadd, xread, others } } = costs;
  assertEquals([recovered, replayed], [CLIENTS, CLIENTS]);
  assert(p99Ms.during < 5_000, `live delivery took ${p99Ms.during} ms`);
  assert(xadd > 0 && xread <= xadd + 5, `${xread} reads for ${xadd} entries`);
  assert(others < CLIENTS / 10, `${others} commands besides`);
});

Deno.test("a client that was quiet for an hour resumes from what a pong told it", () => {
  const history = new History({
    maxAgeMs: 300_000,
    maxBytes: 2 ** 26,
    maxMessageBytes: 2 ** 18,
    hashSeed: 7,
    sources: ["channel", "stream"],
  });
  history.historyLoaded("0-0");
  history.marker("b-0", 0);
  const { position: welcomed } = history;
  const hour = 3_600_000;
  for (let now = 1_000; now <= hour; now += 1_000) {
    history.entry(`${now}-0`, '{"recipients":["another"]}', now);
    history.message('{"recipients":["another"]}', now);
    if (now % 3_000 === 0) history.marker(`b-${now}`, now);
  }
  const { position: ponged } = history;
  const delivery = history.entry(`${hour + 1}-0`, '{"recipients":["quiet"]}', hour + 1).read();
  assert(typeof delivery !== "string");
  const resumption = history.resume(ponged, ["quiet"]);
  assert(resumption.state === "decided");
  assertEquals(resumption.replay.read(1_000), [delivery.event]);
  const late = history.resume(welcomed, ["quiet"], { isFinal: true });
  assert(late.state === "decided");
  assertEquals(late.lost, ["channel", "stream"]);
});

Deno.test("a client whose cursor is from a pong resumes, though its last message left the window", async () => {
  await using gateway = await startKeywire({
    HOST: "127.0.0.1",
    EMBEDDED_KEYS: "quiet,loud",
    HISTORY_BYTES: "2000",
  });
  const { url } = gateway;
  using client = await openSocket(url, "quiet", { v1: true });
  using loud = await openSocket(url, "loud");
  const [welcome] = await items(client.events, 1);
  for (let n = 1; n <= 20; n++) await publish(url, { recipients: ["loud"], n });
  await items(loud.frames, 20);
  client.socket.send("ping");
  const [, pong] = await items(client.events, 2);
  client.socket.close();
  await publish(url, { recipients: ["quiet"], n: 1 });
  /** What a client hears that comes back with `cursor`, up to the answer to its ping. */
  const resume = async (cursor: unknown) => {
    using back = await openSocket(url, "quiet", { v1: true, after: String(cursor) });
    await items(back.events, 1);
    back.socket.send("ping");
    await waitFor("the pong", () => back.events.some(({ type }) => type === "pong"));
    return back.events.map(({ type, recovered, message }) => recovered ?? message ?? type);
  };
  assertEquals(await resume(pong!.cursor), [true, { n: 1 }, "pong"]);
  assertEquals(await resume(welcome!.cursor), [false, "pong"]);
});
