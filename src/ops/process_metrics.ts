import process from "node:process";
import type { EventLoopDelay } from "./event_loop_delay.ts";
import type { MetricSet } from "./metric_set.ts";

const DESCRIPTORS = "/proc/self/fd";
const LIMITS = "/proc/self/limits";

/** What process metrics are made of. */
export interface ProcessMetricsOptions {
  readonly version: string;
  /** How late timers are, in seconds. */
  readonly eventLoopDelay: Pick<EventLoopDelay, "seconds">;
}

/** The process: what runs, since when, and what it takes. Names are those of Prometheus' clients. */
export function addProcessMetrics(
  metrics: MetricSet,
  { version, eventLoopDelay }: ProcessMetricsOptions,
): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.gauges("keywire_build_info", {
    help: "1, with the version of Keywire and of its runtime.",
    read: () => [[{ version, deno: Deno.version.deno }, 1]],
  });
  metrics.gauge(
    "process_start_time_seconds",
    "When the process began, in seconds since 1970.",
    () => startedAt,
  );
  metrics.counter(
    "process_cpu_seconds_total",
    "CPU time that the process took, in seconds.",
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  metrics.gauge(
    "process_resident_memory_bytes",
    "Resident memory, in bytes.",
    () => Deno.memoryUsage().rss,
  );
  metrics.gauge(
    "process_heap_bytes",
    "Memory in use on the heap of JavaScript, in bytes.",
    () => Deno.memoryUsage().heapUsed,
  );
  metrics.histogram(
    "keywire_event_loop_delay_seconds",
    "How late a timer of 100 ms was, in seconds.",
    eventLoopDelay.seconds,
  );
  addDescriptorMetrics(metrics);
}

/** The runtime lets a program read `/proc` with all permissions only: elsewhere these are absent. */
function addDescriptorMetrics(metrics: MetricSet): void {
  if (Deno.permissions.querySync({ name: "read", path: LIMITS }).state !== "granted") return;
  let max: number;
  try {
    const [, soft] = /^Max open files +(\d+|unlimited)/m.exec(Deno.readTextFileSync(LIMITS)) ?? [];
    max = soft === "unlimited" ? Infinity : Number(soft);
    countDescriptors();
  } catch {
    return; // Not every system has it.
  }
  metrics.gauge("process_open_fds", "Open file descriptors.", countDescriptors);
  metrics.gauge("process_max_fds", "How many file descriptors may be open.", () => max);
}

function countDescriptors(): number {
  // One of them is the directory that is read.
  return [...Deno.readDirSync(DESCRIPTORS)].length - 1;
}
