/* The clients: they walk over frames, count deliveries, and read only what is sampled. */
#include "generator.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { RECV_SIZE = 1 << 20, SAMPLE_SIZE = 1 << 14, RING = 1 << 20 };
enum state { DIALLING, HEADERS, HEAD, PAYLOAD, CHUNK_END };

struct client {
  int fd;
  enum state state;
  uint8_t head[14]; /* of the frame (or the response's status line) as far as it has come */
  uint8_t head_size, matched, control_size;
  bool line_start, in_data, ready;
  uint64_t left;
  uint64_t count; /* deliveries */
  uint64_t last_number;
  char *sample;
  size_t sample_size;
  char control[125];
};
static struct client *clients;
static int started;
static char buffer[RECV_SIZE];
/* How many sockets have received at least that many messages: the slowest one sets the pace. */
static uint16_t reached[RING];

void start_clients(void) {
  clients = calloc((size_t)options.sockets, sizeof *clients);
  start_more_clients();
}

void start_more_clients(void) {
  while (started < options.sockets && in_progress < options.connecting) {
    struct client *c = &clients[started];
    c->fd = dial(options.port);
    c->line_start = true;
    if (options.sample_every && started % options.sample_every == 0) c->sample = malloc(SAMPLE_SIZE);
    watch(c->fd, EPOLLOUT, (uint32_t)started++);
    in_progress++;
  }
}

static void send_template(struct client *c, const struct template *t) {
  char text[4096];
  if (t->size > sizeof text) die("a handshake is too long");
  size_t size = render(t, text, (int)((c - clients) % options.keys), 0);
  if (send(c->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size) die("a handshake was not taken");
}

/* A sampled message says when it was published and which it is. */
static void read_sample(struct client *c) {
  char *at = memmem(c->sample, c->sample_size, "n=", 2);
  c->sample_size = 0;
  if (!at || !c->ready) return;
  uint64_t number = strtoull(at + 2, &at, 10);
  if (options.deliveries != 1 && !options.http && c->count && number != c->last_number + 1) lost_order++;
  c->last_number = number;
  add_latency(now_ns() - strtoull(at + 3, NULL, 10));
}

static void keep_sample(struct client *c, const char *p, size_t size) {
  if (!c->sample) return;
  if (c->sample_size + size > SAMPLE_SIZE) c->sample_size = 0;
  if (size > SAMPLE_SIZE) return;
  memcpy(c->sample + c->sample_size, p, size);
  c->sample_size += size;
}

static void unit_ends(struct client *c) {
  if (c->sample) read_sample(c);
  c->count++;
}

static void payload(struct client *c, const char *p, size_t size) {
  if (options.unit == FRAMES) return keep_sample(c, p, size);
  const char *end = p + size;
  while (p < end) {
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    const char *stop = newline ? newline : end;
    if (options.unit == LINES) {
      keep_sample(c, p, (size_t)(stop - p));
      if (newline) unit_ends(c);
    } else {
      if (c->line_start) c->in_data = *p == 'd';
      if (c->in_data) keep_sample(c, p, (size_t)(stop - p));
      if (c->in_data && newline) unit_ends(c);
    }
    c->line_start = newline != NULL;
    p = stop + 1;
  }
}

static void answer_ping(struct client *c) {
  char pong[6 + 125] = {(char)0x8a, (char)(0x80 | c->control_size)}; /* masked with zeros */
  memcpy(pong + 6, c->control, c->control_size);
  send(c->fd, pong, 6u + c->control_size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void frame_ends(struct client *c) {
  int opcode = c->head[0] & 0x0f;
  bool final = c->head[0] & 0x80;
  c->head_size = 0;
  c->state = HEAD;
  if (opcode == 8) die("the server closed a connection: code %d, %.*s",
                       (uint8_t)c->control[0] << 8 | (uint8_t)c->control[1],
                       c->control_size > 2 ? c->control_size - 2 : 0, c->control + 2);
  if (opcode == 9) answer_ping(c);
  if (opcode < 8 && final) unit_ends(c);
}

/* Takes bytes of a WebSocket frame's head. Returns how many. */
static size_t websocket_head(struct client *c, const char *p) {
  c->head[c->head_size++] = (uint8_t)*p;
  if (c->head_size < 2) return 1;
  int length = c->head[1] & 0x7f;
  int whole = length < 126 ? 2 : length == 126 ? 4 : 10;
  if (c->head_size < whole) return 1;
  c->left = length < 126 ? (uint64_t)length : 0;
  for (int i = 2; i < whole; i++) c->left = c->left << 8 | c->head[i];
  c->control_size = 0;
  c->state = PAYLOAD;
  if (c->left == 0) frame_ends(c);
  return 1;
}

static size_t chunk_head(struct client *c, const char *p) {
  if (*p != '\n') {
    if (c->head_size < 12) c->head[c->head_size++] = (uint8_t)*p;
    return 1;
  }
  c->head[c->head_size] = 0;
  c->left = strtoull((char *)c->head, NULL, 16);
  if (c->left == 0) die("the server ended a response");
  c->head_size = 0;
  c->state = PAYLOAD;
  return 1;
}

static size_t response_head(struct client *c, const char *p) {
  if (c->head_size < 12) c->head[c->head_size++] = (uint8_t)*p;
  c->matched = *p == "\r\n\r\n"[c->matched] ? c->matched + 1 : *p == '\r';
  if (c->matched < 4) return 1;
  const char *expected = options.framing == WEBSOCKET ? "101" : "200";
  if (memcmp(c->head + 9, expected, 3)) die("a connection was refused: %.12s", c->head);
  c->head_size = 0;
  c->state = HEAD;
  if (options.greeting.size) send_template(c, &options.greeting);
  return 1;
}

static size_t take_payload(struct client *c, const char *p, size_t size) {
  size_t n = size < c->left ? size : (size_t)c->left;
  c->left -= n;
  if (options.framing == CHUNKED) {
    payload(c, p, n);
    if (c->left == 0) c->state = CHUNK_END;
    return n;
  }
  if ((c->head[0] & 0x0f) >= 8) {
    size_t room = sizeof c->control - c->control_size, kept = n < room ? n : room;
    memcpy(c->control + c->control_size, p, kept);
    c->control_size = (uint8_t)(c->control_size + kept);
  } else {
    payload(c, p, n);
  }
  if (c->left == 0) frame_ends(c);
  return n;
}

static void take(struct client *c, const char *p, size_t size) {
  for (const char *end = p + size; p < end;) {
    switch (c->state) {
      case DIALLING:
      case HEADERS: p += response_head(c, p); break;
      case HEAD: p += options.framing == WEBSOCKET ? websocket_head(c, p) : chunk_head(c, p); break;
      case PAYLOAD: p += take_payload(c, p, (size_t)(end - p)); break;
      case CHUNK_END:
        if (*p++ == '\n') c->state = HEAD;
        break;
    }
  }
}

static void count(uint64_t before, uint64_t after) {
  received += after - before;
  if (options.deliveries == 1) {
    completed = received;
    return;
  }
  for (uint64_t n = before; n < after; n++) reached[n % RING]++;
  while (completed < published && reached[completed % RING] == options.sockets) {
    reached[completed % RING] = 0;
    completed++;
  }
}

static void become_ready(struct client *c) {
  if (c->state < HEAD || c->count < (uint64_t)options.greetings) return;
  c->ready = true;
  c->count = 0;
  ready++;
  in_progress--;
  start_more_clients();
}

void on_client(uint32_t id, uint32_t events) {
  struct client *c = &clients[id];
  if (c->state == DIALLING && events & EPOLLOUT) {
    send_template(c, &options.handshake);
    c->state = HEADERS;
    rewatch(c->fd, EPOLLIN, id);
    return;
  }
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) die("the server dropped a connection: %s", n < 0 ? strerror(errno) : "end of stream");
  uint64_t before = c->count;
  take(c, buffer, (size_t)n);
  if (!c->ready) become_ready(c);
  else if (c->count > before) count(before, c->count);
}

/* No client got less or more than was published: what was counted were the messages. */
void verify_counts(void) {
  if (options.deliveries == 0) return;
  if (options.deliveries == 1) {
    if (received != published) die("%lu messages were published, %lu received", published, received);
    return;
  }
  for (int i = 0; i < options.sockets; i++)
    if (clients[i].count != published)
      die("socket %d received %lu of %lu messages", i, clients[i].count, published);
}
