import { assertEquals } from "@std/assert";
import { AttachmentLog } from "../../src/gateway/attachment_log.ts";
import { traceDelivery } from "../../src/gateway/delivery_trace.ts";
import { History } from "../../src/core/history/history.ts";

/** A node's history and record, and how a message is traced. */
function scene() {
  const history = new History({
    hashSeed: 7,
    maxAgeMs: 100_000,
    maxBytes: 1_000_000,
    maxMessageBytes: 10_000,
    sources: ["stream"],
  });
  history.historyLoaded("0-0");
  const attachments = new AttachmentLog(() => history.window.end);
  const open = new Map<number, { transport: string; attached: boolean }>();
  const add = (
    connection: number,
    kind: "opened" | "resumed" | "attached" | "ended",
    detail = "",
    from?: { stream?: number },
  ) =>
    attachments.add({
      kind,
      connection,
      recipients: ["ann"],
      detail,
      ...from === undefined ? {} : { from },
    });
  let entries = 0;
  const publish = (recipients: string) => {
    const id = `${++entries}-0`;
    history.entry(id, `{"recipients":${recipients}}`, performance.now());
    return id;
  };
  const trace = (cursor: string) =>
    traceDelivery({ recipient: "ann", cursor }, { history, attachments, open });
  const outcomes = (cursor: string) =>
    trace(cursor).messages[0]?.connections?.map(({ outcome, code }) =>
      code === undefined ? outcome : `${outcome} ${code}`
    );
  return { attachments, open, add, publish, trace, outcomes };
}

Deno.test("traceDelivery: written to who was attached, not to who had ended or came later", () => {
  const { add, publish, outcomes } = scene();
  for (const id of [1, 2]) {
    add(id, "opened", "v1");
    add(id, "attached");
  }
  add(1, "ended", "1001");
  const message = publish('["ann"]');
  add(2, "ended", "4408");
  add(3, "opened", "sse");
  add(3, "attached");
  assertEquals(outcomes(message), ["ended 1001", "written 4408", "later"]);
});

Deno.test("traceDelivery: replayed to who resumed before it, lost to who could not", () => {
  const { add, publish, outcomes } = scene();
  const first = publish('["ann"]');
  const second = publish('["ann"]');
  add(1, "opened", "v1");
  add(1, "resumed", "", { stream: 1 });
  add(1, "attached");
  add(2, "opened", "v1");
  add(2, "resumed", "", {});
  add(2, "attached");
  add(3, "opened", "v1");
  add(3, "resumed", "", { stream: 0 });
  add(3, "ended", "1001");
  assertEquals(outcomes(first), ["later", "lost", "unattached 1001"]);
  assertEquals(outcomes(second), ["replayed", "lost", "unattached 1001"]);
});

Deno.test("traceDelivery: who is open since before the record begins was attached", () => {
  const { open, publish, outcomes } = scene();
  open.set(7, { transport: "v1", attached: true });
  open.set(8, { transport: "v1", attached: false });
  assertEquals(outcomes(publish('["ann"]')), ["written", "unattached"]);
});

Deno.test("traceDelivery: tells whom the message names, or why it was dropped", () => {
  const { publish, trace } = scene();
  const names = ['["bob","ann"]', '["bob"]', '"*"', "[1]"].map((recipients) =>
    trace(publish(recipients)).messages[0]?.names
  );
  assertEquals(names, ["recipient", "others", "everyone", "numeric_recipients"]);
  assertEquals(trace("99-0").messages, [{ source: "stream", state: "ahead" }]);
  assertEquals(trace("no cursor").messages, []);
});

Deno.test("AttachmentLog: keeps the last 8,192 events, and says since when it is complete", () => {
  let now = 0;
  const log = new AttachmentLog(() => now, () => now);
  assertEquals([log.since, log.events], [0, []]);
  for (now = 1; now <= 8_200; now++) {
    log.add({ kind: "opened", connection: now, recipients: [], detail: "v1" });
  }
  const { events } = log;
  assertEquals([events.length, events[0]!.at, events.at(-1)!.at, log.since], [8_192, 9, 8_200, 9]);
});

Deno.test("AttachmentLog: keeps fewer events where they name very many recipients", () => {
  let now = 0;
  const log = new AttachmentLog(() => now, () => now);
  const recipients = Array.from({ length: 100_000 }, (_, at) => `user:${at}`);
  const add = (connection: number) => {
    now++;
    log.add({ kind: "opened", connection, recipients: [...recipients], detail: "v1" });
  };
  for (let connection = 1; connection <= 5; connection++) add(connection);
  assertEquals([log.events.length, log.since], [5, 0]);
  for (let connection = 6; connection <= 20; connection++) add(connection);
  // Each holds some megabytes: 8,192 of them would take the node's memory.
  assertEquals(log.events.map(({ connection }) => connection), [16, 17, 18, 19, 20]);
  assertEquals(log.since, 16);
});
