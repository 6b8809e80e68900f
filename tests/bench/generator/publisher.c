/* The publisher: RESP pipelined on one connection, or HTTP on several with one request each. */
#include "generator.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_SIZE = 1 << 22, IN_SIZE = 1 << 16 };

struct publisher {
  int fd;
  bool busy; /* HTTP: the answer is awaited */
  char *out;
  size_t out_size, out_sent;
  char in[IN_SIZE];
  size_t in_size;
};
static struct publisher *publishers;
static uint64_t started_at, rate_base;

void start_publishers(void) {
  publishers = calloc((size_t)options.publishers, sizeof *publishers);
  for (int i = 0; i < options.publishers; i++) {
    publishers[i].fd = -1;
    publishers[i].out = malloc(options.http ? options.publish.size : OUT_SIZE);
  }
}

/* Connections are opened when they are needed: servers close those that say nothing. */
static struct publisher *connected(struct publisher *p) {
  if (p->fd >= 0) return p;
  p->fd = dial(options.publish_port);
  watch(p->fd, EPOLLIN, (uint32_t)(options.sockets + (p - publishers)));
  return p;
}

static void flush(struct publisher *p) {
  while (p->out_sent < p->out_size) {
    ssize_t n = send(p->fd, p->out + p->out_sent, p->out_size - p->out_sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) die("the publisher's connection broke: %s", strerror(errno));
    if (n < 0) break;
    p->out_sent += (size_t)n;
  }
  bool all = p->out_sent == p->out_size;
  if (all) p->out_size = p->out_sent = 0;
  rewatch(p->fd, all ? EPOLLIN : EPOLLIN | EPOLLOUT, (uint32_t)(options.sockets + (p - publishers)));
}

static struct publisher *free_publisher(void) {
  if (!options.http) {
    return publishers->out_size + options.publish.size <= OUT_SIZE ? connected(publishers) : NULL;
  }
  for (int i = 0; i < options.publishers; i++)
    if (!publishers[i].busy) return connected(&publishers[i]);
  return NULL;
}

/* How many messages should have been published by now. */
static uint64_t due(uint64_t now) {
  if (options.rate > 0) {
    if (!started_at) started_at = now, rate_base = published;
    return rate_base + (uint64_t)((double)(now - started_at) / 1e9 * options.rate);
  }
  return completed + (uint64_t)options.in_flight;
}

void publish_due(bool may_start, uint64_t now) {
  if (!may_start) return;
  for (uint64_t until = due(now); published < until;) {
    struct publisher *p = free_publisher();
    if (!p) break;
    int key = (int)(published % (uint64_t)options.keys);
    p->out_size += render(&options.publish, p->out + p->out_size, key, published);
    published++;
    p->busy = true;
    if (options.deliveries == 0) completed = published;
    if (options.http) flush(p);
  }
  if (!options.http && publishers->out_size) flush(publishers);
}

/* When publish_due has something to do by the clock alone. At most 1,000 times a second. */
uint64_t next_due(void) {
  if (options.rate <= 0 || !started_at) return UINT64_MAX;
  uint64_t next = started_at + (uint64_t)((double)(published - rate_base + 1) / options.rate * 1e9);
  uint64_t soonest = now_ns() + 1000000;
  return next > soonest ? next : soonest;
}

/* Takes the answers off the buffer. Returns whether an HTTP answer came to its end. */
static bool take_answer(struct publisher *p) {
  if (!options.http) {
    if (p->in_size && p->in[0] == '-') die("Redis refused: %.*s", (int)p->in_size, p->in);
    char *end = memrchr(p->in, '\n', p->in_size);
    if (!end) return false;
    p->in_size -= (size_t)(end + 1 - p->in);
    memmove(p->in, end + 1, p->in_size);
    return false;
  }
  char *body = memmem(p->in, p->in_size, "\r\n\r\n", 4);
  if (!body) return false;
  *body = 0;
  if (p->in[9] != '2') die("publishing was refused: %s", p->in);
  char *length = strcasestr(p->in, "\r\nContent-Length:");
  *body = '\r';
  /* One request is under way, so the answer is whole when the buffer ends as an answer does. */
  bool whole = length ? p->in + p->in_size >= body + 4 + strtoul(length + 17, NULL, 10)
                      : !memcmp(p->in + p->in_size - 5, "0\r\n\r\n", 5);
  if (whole) p->in_size = 0;
  return whole;
}

void on_publisher(int index, uint32_t events) {
  struct publisher *p = &publishers[index];
  if (events & EPOLLOUT) flush(p);
  if (!(events & ~(uint32_t)EPOLLOUT)) return;
  ssize_t n = recv(p->fd, p->in + p->in_size, IN_SIZE - p->in_size, 0);
  if (n == 0 && options.http && !p->busy) {
    close(p->fd);
    p->fd = -1;
  } else if (n == 0 || (n < 0 && errno != EAGAIN)) {
    die("the publisher's connection was closed");
  }
  if (n > 0) p->in_size += (size_t)n;
  if (take_answer(p)) p->busy = false;
}
