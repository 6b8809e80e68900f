/* Options, the loop and its stages: connect, then hold, or warm up, measure and settle. */
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct options options = {.keys = 1, .connecting = 100, .publishers = 1, .in_flight = 50, .address = 1};
uint64_t published, completed, received, lost_order;
int ready, in_progress;
static int poller;
static bool input_ended;
enum { STDIN_ID = UINT32_MAX, EVENTS = 512 };

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

_Noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("generator: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
  exit(1);
}

int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("cannot open a socket: %s", strerror(errno));
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  /* An address has 28,000 ports towards one of a server's; the loopback network has many addresses. */
  struct sockaddr_in from = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)options.address)};
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
  if (bind(fd, (struct sockaddr *)&from, sizeof from)) die("cannot bind: %s", strerror(errno));
  if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
    die("cannot connect: %s", strerror(errno));
  return fd;
}

static void control(int operation, int fd, uint32_t events, uint32_t id) {
  struct epoll_event event = {.events = events, .data.u32 = id};
  if (epoll_ctl(poller, operation, fd, &event)) die("epoll: %s", strerror(errno));
}
void watch(int fd, uint32_t events, uint32_t id) { control(EPOLL_CTL_ADD, fd, events, id); }
void rewatch(int fd, uint32_t events, uint32_t id) { control(EPOLL_CTL_MOD, fd, events, id); }

/* Handles what there is, waiting for it until `until`. */
static void turn(uint64_t until) {
  struct epoll_event events[EVENTS];
  uint64_t now = now_ns(), wait = until > now ? until - now : 0;
  struct timespec timeout = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};
  int count = epoll_pwait2(poller, events, EVENTS, &timeout, NULL);
  for (int i = 0; i < count; i++) {
    uint32_t id = events[i].data.u32;
    if (id == (uint32_t)STDIN_ID) input_ended = true;
    else if (id < (uint32_t)options.sockets) on_client(id, events[i].events);
    else on_publisher((int)id - options.sockets, events[i].events);
  }
}

static void run(bool publishing, double seconds) {
  for (uint64_t now = now_ns(), end = now + (uint64_t)(seconds * 1e9); now < end; now = now_ns()) {
    publish_due(publishing, now);
    uint64_t next = publishing ? next_due() : UINT64_MAX;
    turn(next < end ? next : end);
  }
}

static void connect_all(void) {
  struct cpu before = read_cpu();
  start_clients();
  for (uint64_t end = now_ns() + 120000000000u; ready < options.sockets;) {
    turn(now_ns() + 100000000u);
    if (now_ns() > end) die("only %d of %d connected within 120 s", ready, options.sockets);
  }
  struct cpu after = read_cpu();
  printf("{\"stage\":\"connected\",\"seconds\":%.4f,\"serverCpu\":%.4f}\n",
         (double)(after.at - before.at) / 1e9, after.server - before.server);
  fflush(stdout);
}

static void measure(void) {
  start_publishers();
  run(true, options.warmup);
  forget_latencies();
  struct cpu before = read_cpu();
  uint64_t received_before = received, published_before = published;
  run(true, options.seconds);
  struct cpu after = read_cpu();
  uint64_t deliveries = received - received_before, messages = published - published_before;
  uint32_t p50 = latency_us(0.5), p99 = latency_us(0.99);
  for (uint64_t end = now_ns() + 10000000000u; completed < published;) {
    turn(now_ns() + 10000000u);
    if (now_ns() > end) die("%lu of %lu messages did not arrive within 10 s", published - completed, published);
  }
  run(false, 0.2); /* for what should not come */
  verify_counts();
  if (lost_order) die("%lu messages came out of order", lost_order);
  printf("{\"stage\":\"measured\",\"seconds\":%.4f,\"deliveries\":%lu,\"messages\":%lu,"
         "\"serverCpu\":%.4f,\"redisCpu\":%.4f,\"generatorCpu\":%.4f,\"coreCpu\":%.2f,"
         "\"p50Us\":%u,\"p99Us\":%u}\n",
         (double)(after.at - before.at) / 1e9, deliveries, messages, after.server - before.server,
         after.redis - before.redis, after.own - before.own, after.core - before.core, p50, p99);
}

static void read_option(const char *name, const char *value) {
  struct { const char *name; int *to; } numbers[] = {
      {"port", &options.port}, {"sockets", &options.sockets}, {"keys", &options.keys},
      {"connecting", &options.connecting}, {"address", &options.address}, {"greetings", &options.greetings},
      {"publish-port", &options.publish_port}, {"publishers", &options.publishers},
      {"in-flight", &options.in_flight}, {"deliveries", &options.deliveries},
      {"sample-every", &options.sample_every}, {"redis-pid", &options.redis_pid}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (!strcmp(name, numbers[i].name)) { *numbers[i].to = atoi(value); return; }
  if (!strcmp(name, "server-pid")) options.server_pids[options.server_pid_count++ & 7] = atoi(value);
  else if (!strcmp(name, "rate")) options.rate = atof(value);
  else if (!strcmp(name, "warmup")) options.warmup = atof(value);
  else if (!strcmp(name, "seconds")) options.seconds = atof(value);
  else if (!strcmp(name, "handshake")) load_template(&options.handshake, value);
  else if (!strcmp(name, "greeting")) load_template(&options.greeting, value);
  else if (!strcmp(name, "publish")) load_template(&options.publish, value);
  else if (!strcmp(name, "framing")) options.framing = strcmp(value, "chunked") ? WEBSOCKET : CHUNKED;
  else if (!strcmp(name, "unit"))
    options.unit = !strcmp(value, "frames") ? FRAMES : !strcmp(value, "lines") ? LINES : DATA_LINES;
  else if (!strcmp(name, "publish-by")) options.http = !strcmp(value, "http");
  else if (!strcmp(name, "hold")) options.hold = !strcmp(value, "true");
  else die("there is no option %s", name);
}

int main(int count, char **arguments) {
  for (int i = 1; i + 1 < count; i += 2) read_option(arguments[i] + 2, arguments[i + 1]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (options.hold) watch(STDIN_FILENO, EPOLLIN | EPOLLHUP, (uint32_t)STDIN_ID);
  connect_all();
  while (options.hold && !input_ended) turn(now_ns() + 1000000000u);
  if (options.seconds > 0) measure();
  return 0;
}
