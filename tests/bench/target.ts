/** What the design asks for, as ratios between subjects of one run. */
import { medianOf, type Results } from "./result.ts";

/** One thing that the design asks for. */
export interface Target {
  readonly says: string;
  /** The value reached, out of medians. */
  readonly reached: (of: Median) => number | undefined;
  readonly least?: number;
  readonly most?: number;
}

/** The median of a value of a subject in a scenario. */
type Median = (scenario: string, subject: string, value: string) => number | undefined;

/** The targets. */
export const TARGETS: readonly Target[] = [
  faster("keywire-v1", "topic", 4),
  faster("keywire-v1", "list", 15),
  faster("keywire-sse", "topic", 2),
  cheaper("keywire", "topic", "bare", 1.1),
  cheaper("keywire", "list", "bare", 1.1),
  cheaper("keywire", "rate", "bare", 1.1),
  cheaper("keywire", "one", "bare", 1.1),
  cheaper("keywire", "one", "node-ws", 1),
  cheaper("keywire-v1", "one", "bare", 1.1),
  cheaper("keywire-v1", "one", "node-ws", 1),
  cheaper("keywire", "not-mine", "ioredis", 1.5),
  heavier("keywire", "bare"),
  heavier("keywire-v1", "bare"),
  heavier("keywire-sse", "bare-sse"),
  {
    says: "connect: MongoDB queries per 20 connects",
    most: 1,
    reached: (of) => of("connect", "mongodb", "queriesPer20"),
  },
  {
    says: "connect: CPU with MongoDB ÷ with the embedded store, presence included",
    most: 1.3,
    reached: between("connect", "connectCpuUs", ["mongodb", "embedded"]),
  },
  ...["embedded", "mongodb"].map((store): Target => ({
    says: `connect: CPU of Redis per recipient, ${store}, µs`,
    most: 12,
    reached: (of) => of("connect", store, "redisCpuUs"),
  })),
  ...["publish", "xadd"].map((way): Target => ({
    says: `burst: readers cut off by 20,000 messages at once, ${way}`,
    most: 0,
    reached: (of) => of("burst", way, "cutOff"),
  })),
  {
    says: "burst: deliveries/s by PUBLISH ÷ topic",
    least: 1,
    reached: (of) =>
      ratio(
        of("burst", "publish", "deliveriesPerSecond"),
        of("topic", "keywire-v1", "deliveriesPerSecond"),
      ),
  },
  {
    says: "storm: 10,000 resumes ÷ 10,000 bare upgrades, seconds",
    most: 2,
    reached: between("storm", "seconds", ["resumes", "upgrades"]),
  },
  {
    says: "storm: longest wait of another client, ms",
    most: 50,
    reached: (of) => of("storm", "resumes", "othersWaitMs"),
  },
  {
    says: "storm: longest wait of another client beside the first resume, ms",
    most: 50,
    reached: (of) => of("storm", "resumes", "firstWaitMs"),
  },
  {
    says: "crowd: KB per connection − idle: KB per connection of keywire-v1",
    most: 1,
    reached: (of) =>
      difference(
        of("crowd", "all", "kbPerConnection"),
        of("idle", "keywire-v1", "kbPerConnection"),
      ),
  },
  {
    says: 'crowd: `"*"` to all ÷ to 1,000, CPU per delivery',
    most: 1.1,
    reached: between("crowd", "cpuUs", ["all", "few"]),
  },
  {
    says: "crowd: longest wait for `/health` ÷ bare",
    most: 2,
    reached: between("crowd", "healthMs", ["process", "bare"]),
  },
  {
    says: "cores: two processes on one port ÷ one, deliveries/s (where there are four cores)",
    least: 1.8,
    reached: between("cores", "deliveriesPerSecond", ["two processes", "one process"]),
  },
  {
    says: "cores: two processes on one port ÷ one, CPU per delivery",
    most: 1.1,
    reached: between("cores", "cpuUs", ["two processes", "one process"]),
  },
];

/** What was reached of each target, as Markdown; those that this run did not measure are left out. */
export function targetTable({ results }: Results): string {
  const of: Median = (scenario, subject, value) => medianOf(results, { scenario, subject, value });
  const rows = TARGETS.flatMap(({ says, reached, least, most }) => {
    const value = reached(of);
    if (value === undefined) return [];
    const met = least === undefined ? value <= most! : value >= least;
    const wanted = least === undefined ? `at most ${most}` : `at least ${least}`;
    return [
      `| ${says} | ${wanted} | ${Number(value.toPrecision(3))} | ${met ? "yes" : "**no**"} |`,
    ];
  });
  if (rows.length === 0) return "";
  return ["| target | wanted | reached | met |", "|---|---|---|---|", ...rows].join("\n");
}

function faster(subject: string, scenario: string, least: number): Target {
  const value = "deliveriesPerSecond";
  return {
    says: `${scenario}: ${subject} ÷ centrifugo, deliveries/s`,
    least,
    reached: between(scenario, value, [subject, "centrifugo"]),
  };
}

function cheaper(subject: string, scenario: string, than: string, most: number): Target {
  return {
    says: `${scenario}: ${subject} ÷ ${than}, CPU`,
    most,
    reached: between(scenario, "cpuUs", [subject, than]),
  };
}

function heavier(subject: string, than: string): Target {
  return {
    says: `idle: ${subject} − ${than}, KB per connection`,
    most: 1,
    reached: (of) =>
      difference(of("idle", subject, "kbPerConnection"), of("idle", than, "kbPerConnection")),
  };
}

/** How many times the value of the second subject that of the first one is. */
function between(
  scenario: string,
  value: string,
  [subject, than]: readonly [string, string],
): Target["reached"] {
  return (of) => ratio(of(scenario, subject, value), of(scenario, than, value));
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}
