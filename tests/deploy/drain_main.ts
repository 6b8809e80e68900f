/** `deno task drain`: SIGTERM with 1,000 healthy and 20 stalled clients and 100 event streams, as histograms. */
import { say } from "../support/say.ts";
import { drainTrial, type Move } from "./drain_trial.ts";

const DRAIN_SECONDS = 4;
const BIN_MS = 250;
/** An interval has at most so many times the clients of the mean one. */
const EVEN = 2;
/** What the courtesies at the end leave of the time. */
const SPREAD_MS = DRAIN_SECONDS * 1_000 - 1_200;

const result = await drainTrial({ v1: 1_000, sse: 100, stalled: 20, drainSeconds: DRAIN_SECONDS });
const { v1, sse, ...rest } = result;
await say(Object.entries(rest).map(([name, value]) => `${name}: ${value}`).join("\n"));
await say(histogram("keywire.v1, left after SIGTERM", v1.map(({ left }) => left)));
await say(histogram("keywire.v1, back after SIGTERM", v1.map(({ back }) => back)));
await say(histogram("event streams, back after SIGTERM", sse.map(({ back }) => back)));
await say(`away, ms: keywire.v1 ${away(v1)}; event streams ${away(sse)}`);
const most = Math.max(...bins(v1.map(({ back }) => back)));
const mean = v1.length * BIN_MS / SPREAD_MS;
await say(`the fullest ${BIN_MS} ms: ${most} of ${v1.length}, ${mean.toFixed(0)} were even`);
const isSound = result.code === 0 && result.exitMs <= DRAIN_SECONDS * 1_000 &&
  result.lost + result.misplaced + result.gaps + result.refusals === 0 && most <= EVEN * mean;
Deno.exit(isSound ? 0 : 1);

function bins(times: readonly number[]): number[] {
  const counts: number[] = Array(Math.floor(Math.max(...times) / BIN_MS) + 1).fill(0);
  for (const time of times) counts[Math.floor(time / BIN_MS)]!++;
  return counts;
}

function histogram(title: string, times: readonly number[]): string {
  const counts = bins(times);
  const scale = 50 / Math.max(...counts);
  return [
    `\n${title}, in ms:`,
    ...counts.map((count, i) =>
      `${String(i * BIN_MS).padStart(5)} ${String(count).padStart(4)} ${
        "#".repeat(Math.round(count * scale))
      }`
    ),
  ].join("\n");
}

function away(moves: readonly Move[]): string {
  const times = moves.map(({ left, back }) => back - left).sort((a, b) => a - b);
  return [0.5, 0.99, 1].map((part) =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))]!.toFixed(0)
  ).join(" / ");
}
