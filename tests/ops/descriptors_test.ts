import { assert, assertEquals, assertMatch } from "@std/assert";
import { reportDescriptors } from "../../src/ops/descriptors.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

Deno.test("reportDescriptors: an unknown limit is named as unknown, beside what is needed", () => {
  const { isEnough, text } = reportDescriptors({ nofile: undefined, maxConnections: 1000 });
  assert(isEnough);
  assertMatch(text, /limit is unknown, since NOFILE is unset; MAX_CONNECTIONS 1000 .*1256$/);
});

Deno.test("reportDescriptors: a limit below what the connections take says what to set instead", () => {
  assert(reportDescriptors({ nofile: 1256, maxConnections: 1000 }).isEnough);
  const { isEnough, text } = reportDescriptors({ nofile: 1255, maxConnections: 1000 });
  assert(!isEnough);
  const [, advised] = /set MAX_CONNECTIONS=(\d+)$/.exec(text) ?? [];
  assert(reportDescriptors({ nofile: 1255, maxConnections: Number(advised) }).isEnough);
  const [, limit] = /takes up to (\d+): raise the limit/.exec(text) ?? [];
  assert(reportDescriptors({ nofile: Number(limit), maxConnections: 1000 }).isEnough);
});

Deno.test("with_nofile.sh: the start knows the hard limit that the process has, and warns of it", async () => {
  const script = 'ulimit -Sn 300; ulimit -Hn 700; exec sh deploy/with_nofile.sh "$@"';
  const prefix = ["sh", "-c", script, "sh"];
  await using gateway = await startKeywire({ LOG_FORMAT: "json", NOFILE: "5" }, { prefix });
  await waitFor("the last line of its start", () => /"Settings: .*\n/.test(gateway.log));
  const lines = gateway.log.split("\n").filter((line) => line.includes("Descriptors"));
  assertEquals(lines.length, 1, gateway.log);
  assertMatch(lines[0]!, /WARN.*Descriptors: 700, but MAX_CONNECTIONS 100000 takes up to 100256/);
});
