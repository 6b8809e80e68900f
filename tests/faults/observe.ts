import type { KeywireProcess } from "../support/gateway.ts";
import { last, waitFor } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import { startPrometheus } from "./prometheus.ts";
import { type Published, Publisher, SOURCES } from "./publisher.ts";
import { Stage } from "./stage.ts";
import { type Change, Watch } from "./watch.ts";
import { type Arrival, type Kind, openWitness, type Witness, type Word } from "./witness.ts";

/** A line of a node's log. */
export interface LogLine {
  /** By `performance.now()`. */
  readonly at: number;
  readonly level: string;
  readonly message: string;
}

/** What one client heard and was told. */
export interface Testimony {
  readonly kind: Kind;
  readonly arrivals: readonly Arrival[];
  readonly words: readonly Word[];
}

/** All that was seen of one fault; times are those of `performance.now()`. */
export interface Observation {
  readonly name: string;
  readonly struckAt: number;
  /** When its end began; equal to `struckAt` where it is a matter of a moment. */
  readonly healedAt: number;
  /** When everything was as before, or was given up on. */
  readonly endedAt: number;
  readonly published: readonly Published[];
  readonly clients: readonly Testimony[];
  readonly ready: readonly Change[];
  readonly newcomers: readonly Change[];
  readonly api: readonly Change[];
  /** When each alert fired first. */
  readonly alerts: ReadonlyMap<string, number>;
  /** Counters of trouble that moved, and by how much. */
  readonly counters: readonly (readonly [name: string, by: number])[];
  readonly log: readonly LogLine[];
}

const KINDS: readonly Kind[] = ["v1", "SSE", "plain"];
/** How long all may take to be as before, in milliseconds, and how long is watched after that. */
const RECOVERY_MS = 60_000;
const AFTERWARDS_MS = 3_000;
/** Counters of Keywire that move when something is wrong. */
const TROUBLE = [
  "keywire_redis_connection_failures_total",
  "keywire_gaps_total",
  "keywire_connects_refused_total",
  'keywire_connections_closed_total{code=~"4.*"}',
  "keywire_messages_dropped_total",
  "keywire_publishes_failed_total",
  "keywire_presence_refusals_total",
  'keywire_look_ups_total{result=~"unavailable|overload"}',
];

/** Lets `fault` strike real servers, and sees what comes of it until all is as before. */
export async function observe(fault: Fault): Promise<Observation> {
  await using stage = await Stage.open(fault.stage);
  await using prometheus = await startPrometheus([stage.node.url]);
  using stack = new DisposableStack();
  const clients = KINDS.map((kind) => stack.use(openWitness(kind, stage.url)));
  const publisher = new Publisher(stage.bus);
  const logged: KeywireProcess[] = [stage.node];
  let watch: Watch | undefined;
  try {
    await waitFor("every client to hear", () => clients.every((one) => hears(one, 0)), 20_000);
    watch = new Watch(stage, prometheus);
    await last(2_000);
    // On a busy machine one may fire before: it says nothing of the fault.
    const before = new Set(watch.alerts.keys());

    const struckAt = performance.now();
    await fault.strike(stage);
    await last(fault.lastMs ?? 0);
    const healedAt = fault.heal === undefined ? struckAt : performance.now();
    await fault.heal?.(stage);
    if (stage.node !== logged[0]) logged.push(stage.node);
    const since = performance.now();
    const isOver = async () =>
      clients.every((one) => hears(one, since, publisher.published)) && await isReady(stage);
    await waitFor("all to be as before", isOver, RECOVERY_MS).catch(() => {});
    const endedAt = performance.now();
    await last(AFTERWARDS_MS);
    await publisher.stop();
    await last(500);
    const counters = await moved(prometheus);
    return {
      name: fault.name,
      struckAt,
      healedAt,
      endedAt,
      published: publisher.published,
      clients: clients.map(({ kind, arrivals, words }) => ({ kind, arrivals, words })),
      ready: watch.ready,
      newcomers: watch.newcomers,
      api: watch.api,
      alerts: new Map([...watch.alerts].filter(([name]) => !before.has(name))),
      counters,
      log: logged.flatMap(({ log }) => linesOf(log)),
    };
  } finally {
    await watch?.[Symbol.asyncDispose]();
    await publisher.stop();
  }
}

/** Whether a client heard, of each source, something that was published after `since`. */
function hears({ arrivals }: Witness, since: number, published?: readonly Published[]): boolean {
  return SOURCES.every((source) =>
    arrivals.findLast((arrival) => {
      if (arrival.source !== source) return false;
      const sent = published?.find(({ source, n }) => source === arrival.source && n === arrival.n);
      return published === undefined || (sent?.at ?? 0) >= since;
    }) !== undefined
  );
}

async function isReady({ node }: Stage): Promise<boolean> {
  const response = await fetch(`${node.url}/ready`, { signal: AbortSignal.timeout(2_000) })
    .catch(() => undefined);
  const answer = await response?.json().catch(() => undefined);
  return response?.ok === true && answer?.store === "up";
}

async function moved(
  prometheus: Awaited<ReturnType<typeof startPrometheus>>,
): Promise<[string, number][]> {
  const all: [string, number][] = [];
  for (const series of TROUBLE) {
    const name = series.split("{")[0]!;
    const before = await prometheus.ask(`min_over_time(${series}[10m])`);
    const after = await prometheus.ask(`max_over_time(${series}[10m])`);
    for (const { metric, value } of after) {
      const { __name__: _, instance: _instance, job: _job, ...labels } = metric;
      const key = JSON.stringify(labels);
      const first = before.find(({ metric }) => {
        const { __name__: _, instance: _instance, job: _job, ...others } = metric;
        return JSON.stringify(others) === key;
      })?.value ?? 0;
      const shown = Object.entries(labels).map(([label, text]) => `${label}="${text}"`).join();
      if (value > first) all.push([`${name}${shown === "" ? "" : `{${shown}}`}`, value - first]);
    }
  }
  return all;
}

function linesOf(log: string): LogLine[] {
  const origin = performance.now() - Date.now();
  return log.split("\n").flatMap((line) => {
    try {
      const { "@timestamp": time, level, message } = JSON.parse(line);
      return [{ at: Date.parse(time) + origin, level, message }];
    } catch {
      return []; // the runtime's own words have no time
    }
  });
}
