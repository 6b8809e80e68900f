/**
 * `deno task rebalance`: rolling restarts with `REBALANCE=1` behind balancers of several kinds, as a
 * table. Words choose among the cases, `deno task rebalance roundrobin 3`, say.
 */
import { say } from "../support/say.ts";
import { mostShare, rebalance, type RebalanceOptions, type RebalanceResult } from "./rebalance.ts";

type Case = Pick<RebalanceOptions, "kind" | "balance" | "nodes" | "sse">;

const CASES: readonly Case[] = [
  { kind: "haproxy", balance: "leastconn", nodes: 2, sse: 0 },
  { kind: "haproxy", balance: "roundrobin", nodes: 2, sse: 0 },
  { kind: "nginx", balance: "leastconn", nodes: 2, sse: 0 },
  { kind: "haproxy", balance: "leastconn", nodes: 3, sse: 0 },
  { kind: "haproxy", balance: "roundrobin", nodes: 3, sse: 0 },
  { kind: "haproxy", balance: "leastconn", nodes: 2, sse: 0.5 },
];
const CLIENTS = 1_000;
/** The nodes are to be even by then, in ms. */
const WITHIN_MS = 180_000;

const rows: string[] = [];
let isSound = true;
for (const one of CASES) {
  if (!Deno.args.every((word) => name(one).split(" ").includes(word))) continue;
  await say(`\n${name(one)}: ${CLIENTS} clients`);
  const onProgress = (line: string) => void say(`  ${line}`);
  const result = await rebalance({
    ...one,
    clients: CLIENTS,
    rate: 2,
    withinMs: WITHIN_MS,
    onProgress,
  });
  rows.push(row(one, result));
  const { falseNotices, lost, misplaced, gaps, evenMs, toldLate, shares } = result;
  await say(`  the longest away: ${result.slowest}`);
  if (falseNotices.length > 0) await say(`  false: ${falseNotices.slice(0, 5).join("\n  ")}`);
  isSound &&= falseNotices.length + misplaced + gaps.moves === 0 &&
    (lost === 0 || gaps.restart > 0) &&
    evenMs <= WITHIN_MS && toldLate === 0 && shares.after <= mostShare(one.nodes);
}
const HEAD = [
  "balancer, nodes",
  "largest share before, after",
  "even after s",
  "told",
  "most told a second",
];
const MOVES = [
  "told late",
  "moves: all / of one / SSE",
  "longest away ms",
  "messages",
  "lost",
  "misplaced",
];
const head = [...HEAD, ...MOVES, "gaps: restart, moves", "false notices"];
await say(["", line(head), line(head.map(() => "---")), ...rows].join("\n"));
Deno.exit(isSound ? 0 : 1);

function name({ kind, balance, nodes, sse }: Case): string {
  return `${kind} ${balance} ${nodes}${sse > 0 ? " sse" : ""}`;
}

function row(one: Case, result: RebalanceResult): string {
  const { shares, evenMs, told, mostToldInSecond, toldLate, moves, mostMoves, sseMoves } = result;
  const { longestAwayMs, messages, lost, misplaced, gaps, falseNotices } = result;
  return line([
    name(one),
    `${percent(shares.before)}, ${percent(shares.after)}`,
    (evenMs / 1000).toFixed(0),
    told,
    percent(mostToldInSecond),
    toldLate,
    `${moves} / ${mostMoves} / ${sseMoves}`,
    longestAwayMs.toFixed(0),
    messages,
    lost,
    misplaced,
    `${gaps.restart}, ${gaps.moves}`,
    falseNotices.length,
  ]);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

function line(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}
