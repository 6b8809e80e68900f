import { assert, assertEquals } from "@std/assert";
import { say } from "../support/say.ts";
import { together } from "../support/together.ts";
import { channelChaos } from "./channel_chaos.ts";
import type { ChaosOptions, PhaseReport } from "./chaos.ts";
import { streamChaos } from "./stream_chaos.ts";
import { table } from "./table.ts";

/** The short form; `deno task chaos` takes its time. */
const SHORT: ChaosOptions = { clients: 200, rate: 500, phaseMs: 2_000, freezeMs: 6_000 };

together("Chaos", {
  "of the stream loses nothing and doubles nothing": async () => {
    const phases = await streamChaos(SHORT);
    await say(table("Stream", phases));
    assertSound(phases);
    for (const { name, lossesTold, words } of phases) {
      assertEquals([lossesTold, words.gap, words["not recovered"]], [0, 0, 0], name);
      if (name !== "calm" && name !== "Redis is killed") assert(words.recovered > 0, name);
    }
  },

  "of the channel loses nothing without telling the client, and doubles nothing": async () => {
    const phases = await channelChaos(SHORT);
    await say(table("Channel", phases));
    assertSound(phases);
    const [moving, ...troubles] = phases;
    assert(moving!.words.recovered > SHORT.clients);
    assertEquals([moving!.lossesTold, moving!.words.gap], [0, 0]);
    assert(
      troubles.some(({ lossesTold }) => lossesTold > 0),
      "no trouble was worth its name",
    );
  },
});

function assertSound(phases: readonly PhaseReport[]): void {
  for (const { name, messages, silentLosses, doubles, disorders } of phases) {
    assert(messages > 0, `${name}: nothing was published`);
    assertEquals({ silentLosses, doubles, disorders }, {
      silentLosses: 0,
      doubles: 0,
      disorders: 0,
    }, name);
  }
}
