/** `deno task chaos`: the chaos that takes its time, and prints what came of it. */
import { say } from "../support/say.ts";
import { channelChaos } from "./channel_chaos.ts";
import type { ChaosOptions } from "./chaos.ts";
import { resumingCosts } from "./resuming_costs.ts";
import { streamChaos } from "./stream_chaos.ts";
import { table } from "./table.ts";

const LONG: ChaosOptions = { clients: 200, rate: 500, phaseMs: 12_000, freezeMs: 20_000 };

const stream = await streamChaos(LONG);
await say(table("Stream", stream));
const channel = await channelChaos(LONG);
await say(table("Channel", channel));

const CLIENTS = 5_000;
const { recovered, replayed, tookMs, p99Ms, commands } = await resumingCosts(CLIENTS);
await say(
  `Of ${CLIENTS} clients that resumed at once, ${recovered} were told that nothing was lost, and ` +
    `${replayed} got what they had missed, within ${Math.round(tookMs)} ms; live delivery took ` +
    `${Math.round(p99Ms.before)} ms before and ${Math.round(p99Ms.during)} ms meanwhile (p99). ` +
    `Redis was asked ${commands.xread} times for ${commands.xadd} live entries, and ` +
    `${commands.others} times besides.`,
);

const isSound =
  [...stream, ...channel].every(({ silentLosses, doubles, disorders }) =>
    silentLosses + doubles + disorders === 0
  ) && stream.every(({ lossesTold }) => lossesTold === 0) && recovered === CLIENTS &&
  replayed === CLIENTS;
await say(isSound ? "Nothing was lost in silence, nothing came twice." : "NOT SOUND");
Deno.exit(isSound ? 0 : 1);
