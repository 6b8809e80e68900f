/** Runs scenarios on subjects, in rounds. */
import { type RedisServer, startRedis } from "../support/redis.ts";
import { run } from "../support/run.ts";
import { measureBurst } from "./burst.ts";
import { measureConnect } from "./connect.ts";
import { measureCores } from "./cores.ts";
import {
  clientsPerProcess,
  CROWD_PROCESSES,
  measureCrowd,
  measureFew,
  measureHealth,
} from "./crowd.ts";
import { Generator, OTHER_CORE } from "./generator.ts";
import { measureIdle } from "./idle.ts";
import { figures, type Result, type Results } from "./result.ts";
import { type Scenario, SCENARIOS, SOCKETS } from "./scenario.ts";
import { measureStorm, measureUpgrades } from "./storm.ts";
import type { RunningSubject, Subject } from "./subjects/mod.ts";

/** How long to warm up before each window, in seconds. */
export const WARMUP = 1.5;

/** What to run. */
export interface BenchOptions {
  readonly subjects: readonly Subject[];
  /** Names of scenarios. */
  readonly scenarios: readonly string[];
  readonly rounds: number;
  /** The length of a window, in seconds. */
  readonly seconds: number;
  /** How many clients each process of `crowd` has; undefined: as many as descriptors allow. */
  readonly crowd?: number | undefined;
  /** Hears what is going on. */
  readonly say: (line: string) => void;
}

/** What every measurement needs. */
export interface Bench {
  readonly generator: Generator;
  readonly redis: RedisServer;
  readonly redisPid: number;
  readonly seconds: number;
  /** How many clients each process of `crowd` has. */
  readonly crowd: number;
}

/** Measures every subject in every scenario, one round after the other. */
export async function runBench(options: BenchOptions): Promise<Results> {
  const { rounds, seconds, say } = options;
  const results: Result[] = [];
  const missing = new Map<string, string>();
  const subjects = await prepare(options, missing);
  await using generator = await Generator.build();
  await using redis = await startRedis();
  const crowd = options.crowd ?? await clientsPerProcess();
  const bench = { generator, redis, redisPid: await moveAside(redis), seconds, crowd };
  for (let round = 0; round < rounds; round++) {
    for (const scenario of options.scenarios) {
      const steps = stepsOf(scenario, subjects);
      const take = async ([subject, measure]: Step) => {
        const what = `${scenario}, ${subject}`;
        try {
          const values = await measure(bench);
          results.push({ subject, scenario, round, values });
          say(`round ${round + 1}: ${what}: ${show(values)}`);
        } catch (error) {
          missing.set(what, (error as Error).message);
          say(`round ${round + 1}: ${what}: ${(error as Error).message}`);
        }
      };
      // Memory takes long to settle, and no CPU is measured meanwhile.
      if (scenario === "idle") await Promise.all(steps.map(take));
      // Another one begins each round, so that none always runs on a machine that is cold, or hot.
      else for (const step of rotate(steps, round)) await take(step);
    }
  }
  return {
    machine: await machine(),
    seconds,
    results,
    missing: [...missing].map(([what, why]) => ({ what, why })),
  };
}

/** A subject's name and how its figures in one scenario are got. */
type Step = readonly [string, (bench: Bench) => Promise<Record<string, number>>];

function stepsOf(name: string, subjects: readonly Subject[]): Step[] {
  if (name === "connect") {
    return subjects.some(({ name }) => name === "keywire")
      ? [
        ["embedded", (bench) => measureConnect(bench, "embedded")],
        ["mongodb", (bench) => measureConnect(bench, "mongodb")],
      ]
      : [];
  }
  if (isOwn(name)) return ownSteps(name, subjects);
  const scenario = SCENARIOS.find((each) => each.name === name);
  const compared = subjects.filter((subject) =>
    (subject.only?.includes(name) ?? true) && (scenario?.subjects?.includes(subject.name) ?? true)
  );
  return compared.map((subject) => [
    subject.name,
    scenario === undefined
      ? (bench) => measureIdle(bench, subject)
      : (bench) => measureLoad(bench, subject, scenario),
  ]);
}

const OWN = ["burst", "storm", "crowd", "cores"] as const;
type Own = (typeof OWN)[number];

function isOwn(name: string): name is Own {
  return OWN.includes(name as Own);
}

/** The steps of what only Keywire is asked for, and the bare loop where it is compared with that. */
function ownSteps(name: Own, subjects: readonly Subject[]): Step[] {
  if (!subjects.some((subject) => subject.name === "keywire")) return [];
  if (name === "burst") {
    return [
      ["publish", (bench) => measureBurst(bench, "publish")],
      ["xadd", (bench) => measureBurst(bench, "xadd")],
    ];
  }
  if (name === "cores") {
    return [
      ["one process", (bench) => measureCores(bench, 1)],
      ["two processes", (bench) => measureCores(bench, 2)],
    ];
  }
  const bare = subjects.filter((subject) => subject.name === "bare");
  if (name === "crowd") {
    return [
      ["few", measureFew],
      ["process", (bench) => measureHealth(bench, bench.crowd)],
      ...bare.map((subject): Step => [
        "bare",
        (bench) => measureHealth(bench, bench.crowd, subject),
      ]),
      ["all", (bench) => {
        return measureCrowd(bench, { perProcess: bench.crowd, processes: CROWD_PROCESSES });
      }],
    ];
  }
  return [
    ["resumes", measureStorm],
    ...bare.map((subject): Step => ["upgrades", (bench) => measureUpgrades(bench, subject)]),
  ];
}

async function measureLoad(
  { generator, redis, redisPid, seconds }: Bench,
  subject: Subject,
  { keys, address, load }: Scenario,
): Promise<Record<string, number>> {
  await using running = await subject.start({ redisPort: redis.port, keys });
  const publishing = running.publish(address);
  if (publishing === undefined) throw new Error("it cannot address so");
  return figures(
    await generator.measure(
      { ...target(running), sockets: SOCKETS, keys, redisPid },
      {
        ...load,
        ...load.inFlight !== undefined && subject.inFlight !== undefined
          ? { inFlight: subject.inFlight }
          : {},
        publishing,
        warmup: WARMUP,
        seconds,
      },
    ),
  );
}

/** What the generator must know of a subject. */
export function target({ port, pids, clients }: RunningSubject) {
  return { port, serverPids: pids, clients };
}

async function prepare(
  { subjects, say }: BenchOptions,
  missing: Map<string, string>,
): Promise<Subject[]> {
  const there: Subject[] = [];
  for (const subject of subjects) {
    try {
      say(`preparing ${subject.title}`);
      await subject.prepare();
      there.push(subject);
    } catch (error) {
      missing.set(subject.title, (error as Error).message);
    }
  }
  return there;
}

/** Moves Redis to the core of the generator; returns its process id. */
async function moveAside(redis: RedisServer): Promise<number> {
  const pid = Number(/process_id:(\d+)/.exec(await redis.tell("INFO", "server"))?.[1]);
  await run(["taskset", "-acp", OTHER_CORE, `${pid}`]);
  return pid;
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const from = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}

function show(values: Record<string, number>): string {
  return Object.entries(values).map(([name, value]) => `${name} ${+value.toPrecision(3)}`).join(
    " ",
  );
}

async function machine(): Promise<string> {
  const model = /model name\s*:\s*(.+)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  return `${model ?? "an unknown processor"}, ${navigator.hardwareConcurrency} cores, ` +
    `Deno ${Deno.version.deno}`;
}
