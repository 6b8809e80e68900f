/** What happens to one Redis. */
import { last } from "../support/wait.ts";
import { Redis } from "ioredis";
import type { Fault } from "./fault.ts";
import type { Stage } from "./stage.ts";

const redis = ({ bus }: Stage) => bus.servers[0]!;

async function config(stage: Stage, name: string, value: string): Promise<void> {
  const reply = await redis(stage).tell("CONFIG", "SET", name, value);
  if (!reply.startsWith("+OK")) throw new Error(`CONFIG SET ${name} ${value}: ${reply}`);
}

/** Runs many commands by one connection, each made of its number; Redis may refuse some. */
async function flood(
  url: string,
  count: number,
  each: (n: number) => readonly [string, ...string[]],
): Promise<void> {
  const client = new Redis(url);
  client.on("error", () => {});
  try {
    for (let n = 0; n < count; n += 100) {
      const commands = Array.from({ length: Math.min(100, count - n) }, (_, at) => each(n + at));
      await Promise.allSettled(commands.map(([name, ...args]) => client.call(name, ...args)));
    }
  } finally {
    client.disconnect();
  }
}

/** The reader asks for what comes, and up to the end; the watch beside it asks for single entries. */
function isOfReader(request: string): boolean {
  return /xread/i.test(request) || /\r\nxrange\r\n[^]*\r\n\+\r\n/i.test(request);
}

const frozen = (seconds: number): Fault => ({
  name: `Redis frozen for ${seconds} s`,
  // deno-lint-ignore require-await -- a fault may take its time
  strike: async (stage) => redis(stage).freeze(),
  lastMs: seconds * 1000,
  // deno-lint-ignore require-await -- as above
  heal: async (stage) => redis(stage).thaw(),
  alerts: ["KeywireDeaf", "KeywirePresenceUnknown"],
});

/** The faults of one Redis. */
export const REDIS_FAULTS: readonly Fault[] = [
  {
    name: "Redis killed, back after 5 s with its AOF",
    strike: (stage) => redis(stage).kill(),
    lastMs: 5_000,
    heal: (stage) => redis(stage).start(),
    alerts: ["KeywireDeaf", "KeywireGaps", "KeywirePublishesFailed"],
  },
  {
    name: "Redis restarted at once",
    async strike(stage) {
      await redis(stage).kill();
      await redis(stage).start();
    },
    alerts: ["KeywireGaps"],
  },
  frozen(10),
  frozen(30),
  {
    name: "`CLIENT KILL` of the subscription",
    async strike(stage) {
      await redis(stage).tell("CLIENT", "KILL", "TYPE", "pubsub");
    },
    alerts: ["KeywireGaps"],
  },
  {
    name: "`CLIENT KILL` of every connection",
    async strike(stage) {
      await redis(stage).tell("CLIENT", "KILL", "TYPE", "pubsub");
      await redis(stage).tell("CLIENT", "KILL", "TYPE", "normal");
    },
    alerts: ["KeywireGaps"],
  },
  {
    name: "`CLIENT PAUSE` for 8 s",
    async strike(stage) {
      await redis(stage).tell("CLIENT", "PAUSE", "8000", "ALL");
    },
    lastMs: 8_000,
    heal: () => Promise.resolve(),
    alerts: ["KeywireDeaf"],
  },
  {
    name: "Redis out of memory (`noeviction`) for 8 s",
    strike: (stage) => config(stage, "maxmemory", "1"),
    lastMs: 8_000,
    heal: (stage) => config(stage, "maxmemory", "0"),
    alerts: ["KeywireDeaf", "KeywirePublishesFailed"],
  },
  {
    name: "Redis evicts keys (`allkeys-random`)",
    async strike(stage) {
      await config(stage, "maxmemory-policy", "allkeys-random");
      const used = /used_memory:(\d+)/.exec(await redis(stage).tell("INFO", "memory"))![1]!;
      await config(stage, "maxmemory", `${Number(used) + 100_000}`);
      await flood(redis(stage).url, 400, (n) => ["SET", `junk:${n}`, "x".repeat(10_000)]);
    },
    lastMs: 5_000,
    async heal(stage) {
      await config(stage, "maxmemory", "0");
      await config(stage, "maxmemory-policy", "noeviction");
    },
    alerts: ["KeywireGaps"],
  },
  {
    name: "output buffer of the subscription overrun",
    stage: { redisArgs: ["--client-output-buffer-limit", "pubsub 1mb 0 0"] },
    async strike(stage) {
      stage.bus.network!.hold();
      const envelope = `{"recipients":["absent"],"x":"${"x".repeat(60_000)}"}`;
      await flood(redis(stage).url, 500, () => ["PUBLISH", "my_channel", envelope]);
      stage.bus.network!.release();
    },
    alerts: ["KeywireGaps"],
  },
  {
    name: "Redis restarted, `LOADING` for some seconds",
    stage: { redisArgs: ["--key-load-delay", "2000"] },
    async strike(stage) {
      await flood(redis(stage).url, 2_000, (n) => ["SET", `filler:${n}`, "x"]);
      await redis(stage).kill();
      await redis(stage).start();
    },
    alerts: ["KeywireDeaf", "KeywireGaps"],
  },
  {
    name: "the stream is deleted while the line to Redis stands still for 2 s",
    async strike(stage) {
      stage.bus.network!.hold();
      await last(1_000);
      await redis(stage).tell("DEL", "my_stream");
      await last(1_000);
      stage.bus.network!.release();
    },
    heal: () => Promise.resolve(),
    alerts: ["KeywireGaps"],
  },
  {
    name: "the ACL forbids notices for 8 s",
    async strike(stage) {
      await redis(stage).tell(
        ...["ACL", "SETUSER", "default", "resetchannels", "&my_channel", "&*control*"],
      );
      await last(0);
    },
    lastMs: 8_000,
    async heal(stage) {
      await redis(stage).tell("ACL", "SETUSER", "default", "allchannels");
    },
    alerts: ["KeywireNoticesRefused"],
  },
  {
    name: "the line to Redis is half-open for 10 s",
    // deno-lint-ignore require-await -- a fault may take its time
    strike: async ({ bus }) => bus.network!.hold(),
    lastMs: 10_000,
    // deno-lint-ignore require-await -- as above
    heal: async ({ bus }) => bus.network!.release(),
    alerts: ["KeywireDeaf"],
  },
  {
    name: "what the stream's reader asks does not arrive for 12 s",
    // deno-lint-ignore require-await -- a fault may take its time
    strike: async ({ bus }) => bus.network!.drop(isOfReader),
    lastMs: 12_000,
    // deno-lint-ignore require-await -- as above
    heal: async ({ bus }) => bus.network!.rewrite(),
    alerts: ["KeywireStreamLag"],
  },
];
