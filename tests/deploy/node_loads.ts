import { waitFor } from "../support/wait.ts";

/** What a node had at a moment. */
interface Load {
  readonly connections: number;
  /** Clients that it told to move so far. */
  readonly told: number;
}

interface Sample {
  /** By `performance.now()`. */
  readonly at: number;
  readonly loads: readonly Load[];
}

/** How often the nodes are asked, in milliseconds. */
const EVERY_MS = 1_000;
/** How long the nodes take to learn that they are even, in milliseconds. */
const KNOWN_MS = 10_000;
/** How often a line tells how it stands, in milliseconds. */
const TELL_MS = 10_000;

/** Over how long the rate of moves is measured: one second of it may hold two rounds, in ms. */
const MEAN_MS = 5_000;

/** How many clients each node has, and how many it told to move, asked of `/metrics` each second. */
export class NodeLoads implements Disposable {
  readonly #urls: readonly string[];
  readonly #samples: Sample[] = [];
  readonly #start = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(hosts: readonly string[], internalPort: number) {
    this.#urls = hosts.map((host) => `http://${host}:${internalPort}/metrics`);
  }

  /** Resolves when no node has more than `most` and no client was told to move for `restMs`, or in the end. */
  async untilRest({ most, restMs, withinMs, onProgress }: {
    readonly most: number;
    readonly restMs: number;
    readonly withinMs: number;
    readonly onProgress: (line: string) => void;
  }): Promise<void> {
    await this.#sample();
    let told = performance.now();
    this.#timer = setInterval(() => void this.#sample(), EVERY_MS);
    const isOver = () => {
      const { at, loads } = this.#samples.at(-1)!;
      if (at - told >= TELL_MS) {
        told = at;
        const each = loads.map(({ connections }) => connections).join(" : ");
        onProgress(`after ${Math.round((at - this.#start) / 1000)} s: ${each}`);
      }
      if (at - this.#start > withinMs) return true;
      return share(loads) <= most && at - this.#lastToldAt >= restMs;
    };
    await waitFor("the nodes to come to rest", isOver, withinMs + 30_000);
    clearInterval(this.#timer);
  }

  /** What was seen, where `most` is what a node may have. */
  result(most: number) {
    const first = this.#samples[0]!;
    const last = this.#samples.at(-1)!;
    const uneven = this.#samples.findLastIndex(({ loads }) => share(loads) > most);
    const evenAt = this.#samples[uneven + 1]?.at ?? NaN;
    const late = this.#samples.find(({ at }) => at >= evenAt + KNOWN_MS) ?? last;
    return {
      shares: { before: share(first.loads), after: share(last.loads) },
      evenMs: evenAt - this.#start,
      told: total(last.loads) - total(first.loads),
      mostToldInSecond: this.#mostTold,
      toldLate: total(last.loads) - total(late.loads),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** The most that a node told a second, as a part of its clients: a mean over a few seconds. */
  get #mostTold(): number {
    let most = 0;
    for (const [i, { at, loads }] of this.#samples.entries()) {
      const before = this.#samples.slice(0, i).findLast((sample) => at - sample.at >= MEAN_MS);
      if (before === undefined) continue;
      for (const [node, { told }] of loads.entries()) {
        const { told: toldBefore, connections } = before.loads[node]!;
        if (connections === 0) continue;
        most = Math.max(most, (told - toldBefore) / connections / ((at - before.at) / 1000));
      }
    }
    return most;
  }

  get #lastToldAt(): number {
    const now = total(this.#samples.at(-1)!.loads);
    const since = this.#samples.find(({ loads }) => total(loads) === now)!;
    return since === this.#samples[0] ? this.#start : since.at;
  }

  async #sample(): Promise<void> {
    const at = performance.now();
    const loads = await Promise.all(this.#urls.map(readLoad)).catch(() => undefined);
    if (loads !== undefined) this.#samples.push({ at, loads });
  }
}

async function readLoad(url: string): Promise<Load> {
  const text = await (await fetch(url)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  return {
    connections: value("keywire_connections"),
    told: value("keywire_rebalanced_connections_total"),
  };
}

/** The part of all clients that the fullest node has. */
function share(loads: readonly Load[]): number {
  const counts = loads.map(({ connections }) => connections);
  return Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0);
}

function total(loads: readonly Load[]): number {
  return loads.reduce((sum, { told }) => sum + told, 0);
}
