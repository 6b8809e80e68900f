/* What the operating system says about CPU, and what the sampled sockets say about latency. */
#include "generator.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* User and system time of a process with all the threads it ever had, in seconds. */
static double process_cpu(int pid) {
  clockid_t clock;
  struct timespec used;
  if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
    die("the process %d is gone", pid);
  return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Busy seconds of core 0, the server's, by any process. */
static double core_cpu(void) {
  unsigned long user, nice, system, idle, wait, irq, soft;
  FILE *file = fopen("/proc/stat", "r");
  if (!file) return 0;
  int n = fscanf(file, "cpu %*[^\n]\ncpu0 %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle,
                 &wait, &irq, &soft);
  fclose(file);
  return n == 7 ? (double)(user + nice + system + irq + soft) / (double)sysconf(_SC_CLK_TCK) : 0;
}

struct cpu read_cpu(void) {
  struct cpu cpu = {.at = now_ns(), .core = core_cpu()};
  for (int i = 0; i < options.server_pid_count; i++) cpu.server += process_cpu(options.server_pids[i]);
  if (options.redis_pid) cpu.redis = process_cpu(options.redis_pid);
  cpu.own = process_cpu(getpid());
  return cpu;
}

enum { MAX_LATENCIES = 1 << 22 };
static uint32_t latencies[MAX_LATENCIES];
static size_t latency_count;
static bool sorted;

void add_latency(uint64_t ns) {
  if (latency_count < MAX_LATENCIES) latencies[latency_count++] = (uint32_t)(ns / 1000);
}

void forget_latencies(void) { latency_count = 0; }

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

uint32_t latency_us(double quantile) {
  if (latency_count == 0) return 0;
  if (!sorted) qsort(latencies, latency_count, sizeof *latencies, ascending);
  sorted = true;
  return latencies[(size_t)(quantile * (double)(latency_count - 1))];
}
