/** `deno task rolling`: a rolling restart with 1,000 clients behind each proxy in turn, as a table. */
import { say } from "../support/say.ts";
import { PROXY_KINDS } from "./proxies.ts";
import { rollingRestart, type RollingResult } from "./rolling.ts";

const CLIENTS = 1_000;
const SOURCES = { "the stream": { REDIS_CHANNEL: "" }, "stream and channel": {} };

const rows: string[] = [];
let isSound = true;
for (const [sources, env] of Object.entries(SOURCES)) {
  for (const kind of PROXY_KINDS) {
    await say(`Restarting two nodes behind ${kind}, with ${CLIENTS} clients and ${sources}`);
    const [result] = await rollingRestart({ kinds: [kind], clients: CLIENTS, rate: 10, env });
    rows.push(row(kind, sources, result!));
    const { lost, gaps, misplaced, givenUp, backMs } = result!;
    isSound &&= misplaced + givenUp === 0 && backMs < 10_000 && (lost === 0 || gaps > 0);
  }
}
const HEAD = ["proxy", "in use", "messages", "lost", "gaps told", "refusals", "gave up"];
const TIMES = ["away ms: p50 / p99 / max", "all back after ms"];
const head = [...HEAD, ...TIMES];
await say([line(head), line(head.map(() => "---")), ...rows].join("\n"));
Deno.exit(isSound ? 0 : 1);

function row(kind: string, sources: string, result: RollingResult): string {
  const { messages, lost, gaps, refusals, givenUp, awayMs: { p50, p99, max }, backMs } = result;
  const away = [p50, p99, max].map((ms) => ms.toFixed(0)).join(" / ");
  return line([kind, sources, messages, lost, gaps, refusals, givenUp, away, backMs.toFixed(0)]);
}

function line(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}
