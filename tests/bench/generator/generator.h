/*
 * The load generator: many clients that count what they receive without reading it, and a publisher.
 *
 * It knows framings, not products: what is sent (handshakes, greetings, publish requests) comes as
 * templates from the driver, so that a new subject needs no C. It runs on one core beside a server on
 * another, so a delivery must cost it far less than it costs the server: one recv for all that a
 * socket holds, a walk over the frames' headers, memchr for the lines in them.
 */
#pragma once
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a server cuts its byte stream: WebSocket frames, or chunks of an HTTP/1.1 response. */
enum framing { WEBSOCKET, CHUNKED };

/* What counts as one delivery: a frame, a line of a frame, a `data:` line of an event stream. */
enum unit { FRAMES, LINES, DATA_LINES };

/* Bytes to send in which the fixed-width marks @KKKK@, @NNNNNNNN@ and @TTTTTTTTTTTTTTTTT@ stand for
 * a key, the number of the message and the time of its publishing. */
struct template {
  char *bytes;
  size_t size;
  size_t key, number, time; /* offsets; 0: the mark does not occur */
};

struct options {
  int port, sockets, keys, connecting, address;
  enum framing framing;
  enum unit unit;
  int greetings; /* units that a client gets before the first message */
  struct template handshake, greeting;
  int publish_port, publishers;
  bool http; /* a request waits for its answer; else RESP, pipelined */
  struct template publish;
  int in_flight;  /* closed loop: published and not yet received by all who should */
  double rate;    /* open loop: messages a second; 0: closed */
  int deliveries; /* of one message: the number of sockets, 1, or 0 where no socket hears it */
  double warmup, seconds;
  int sample_every; /* each such socket is read: latency and order */
  int server_pids[8], server_pid_count, redis_pid;
  bool hold;
};
extern struct options options;

/* The state that the loop steers by. */
extern uint64_t published, completed, received, lost_order;
extern int ready, in_progress;

uint64_t now_ns(void);
_Noreturn void die(const char *format, ...);
int dial(int port);
void watch(int fd, uint32_t events, uint32_t id);
void rewatch(int fd, uint32_t events, uint32_t id);

/* template.c */
void load_template(struct template *, const char *path);
size_t render(const struct template *, char *out, int key, uint64_t number);

/* client.c */
void start_clients(void);
void start_more_clients(void);
void on_client(uint32_t id, uint32_t events);
void verify_counts(void);

/* publisher.c */
void start_publishers(void);
void on_publisher(int index, uint32_t events);
void publish_due(bool may_start, uint64_t now);
uint64_t next_due(void);

/* report.c */
struct cpu { double server, redis, own, core; uint64_t at; };
struct cpu read_cpu(void);
void add_latency(uint64_t ns);
void forget_latencies(void);
uint32_t latency_us(double quantile);
