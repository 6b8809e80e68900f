import type { KeywireProcess } from "../support/gateway.ts";
import { heapAfterCollection } from "./heap_after_collection.ts";
import { trend } from "./trend.ts";

const SAMPLE_MS = 5_000;
/** A node that has run for less is still warming up in its second half. */
const JUDGED_AFTER_SECONDS = 900;

interface NodeMemory {
  readonly name: string;
  readonly rss: { at: number; value: number }[];
  readonly heap: { at: number; value: number }[];
}

/** What the memory of nodes does, from now on; a node that is restarted counts as another. */
export class MemoryLog implements Disposable {
  readonly #nodes: () => readonly KeywireProcess[];
  readonly #byPid = new Map<number, NodeMemory>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #start = performance.now();

  constructor(nodes: () => readonly KeywireProcess[]) {
    this.#nodes = nodes;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** A line for each node and each kind of memory, in MB, and whether it grows. */
  report(): { text: string; grows: boolean }[] {
    return [...this.#byPid.values()].flatMap(({ name, rss, heap }) =>
      Object.entries({ "resident": rss, "V8's heap after full collections": heap })
        .filter(([, series]) => series.length > 3)
        .map(([kind, series]) => {
          const { mean, rise, peaks, flat } = trend(series);
          const seconds = series.at(-1)!.at - series[0]!.at;
          const minutes = (seconds / 60).toFixed(1);
          const isJudged = seconds >= JUDGED_AFTER_SECONDS;
          const figures =
            `${mean.toFixed(1)} MB in the second half of ${minutes} min, in which it ` +
            `rose by ${rise.toFixed(1)} MB; peaks ${
              peaks.map((mb) => mb.toFixed(1)).join(" and ")
            }`;
          const verdict = !isJudged ? "too short to judge" : flat ? "flat" : "NOT flat";
          return { text: `${name}, ${kind}: ${figures}: ${verdict}`, grows: isJudged && !flat };
        })
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #sample(): Promise<void> {
    const at = (performance.now() - this.#start) / 1000;
    for (const [index, { pid, log }] of this.#nodes().entries()) {
      const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
      const resident = /VmRSS:\s*(\d+)/.exec(status)?.[1];
      if (resident === undefined) continue; // it ends just now
      const starts = [...this.#byPid.values()].filter(({ name }) =>
        name.startsWith(`node ${index + 1}`)
      );
      let memory = this.#byPid.get(pid);
      if (memory === undefined) {
        memory = { name: `node ${index + 1}, start ${starts.length + 1}`, rss: [], heap: [] };
        this.#byPid.set(pid, memory);
      }
      memory.rss.push({ at, value: Number(resident) / 1024 });
      const kept = heapAfterCollection(log);
      if (kept !== undefined) memory.heap.push({ at, value: kept });
    }
  }
}
